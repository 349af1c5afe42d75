// What server reflection says of a port's services: grpc/reflection/v1/reflection.proto.
#ifndef WORMHOLE_RELAY_REFLECTION_REFLECTION_ANSWERS_H_
#define WORMHOLE_RELAY_REFLECTION_REFLECTION_ANSWERS_H_

#include <map>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "grpc/reflection/v1/reflection.pb.h"

namespace wormhole::relay {

// Tells the files of these services and what they import, and no others that the program has.
// Thread-safe: it does not change.
class ReflectionAnswers {
 public:
  // `services` are full names. Of one that the program has no descriptor of, the name alone is
  // told.
  explicit ReflectionAnswers(std::vector<std::string> services);

  grpc::reflection::v1::ServerReflectionResponse Answer(
      const grpc::reflection::v1::ServerReflectionRequest& request) const;

 private:
  void Learn(const google::protobuf::FileDescriptor* file);
  // An error if it is null, or none of those that are told.
  void TellFile(const google::protobuf::FileDescriptor* file,
                grpc::reflection::v1::ServerReflectionResponse& response) const;
  void TellExtensions(const std::string& type,
                      grpc::reflection::v1::ServerReflectionResponse& response) const;

  const std::vector<std::string> services_;
  std::map<const google::protobuf::FileDescriptor*, std::string> files_;  // as FileDescriptorProto
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_REFLECTION_REFLECTION_ANSWERS_H_
