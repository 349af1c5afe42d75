#include "relay/reflection/reflection_answers.h"

#include <set>
#include <string_view>
#include <utility>

#include "google/protobuf/descriptor.pb.h"
#include "grpcpp/support/status.h"

namespace wormhole::relay {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::ServiceDescriptor;
using grpc::reflection::v1::ExtensionRequest;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

const DescriptorPool& Program() { return *DescriptorPool::generated_pool(); }

void Fail(grpc::StatusCode code, std::string_view message, ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(code);
  response.mutable_error_response()->set_error_message(std::string(message));
}

// Null if there is none.
const FileDescriptor* FileOf(const ExtensionRequest& asked) {
  const auto* const type = Program().FindMessageTypeByName(asked.containing_type());
  if (type == nullptr) return nullptr;
  const FieldDescriptor* const field =
      Program().FindExtensionByNumber(type, asked.extension_number());
  return field == nullptr ? nullptr : field->file();
}

}  // namespace

ReflectionAnswers::ReflectionAnswers(std::vector<std::string> services)
    : services_(std::move(services)) {
  for (const std::string& name : services_) {
    const ServiceDescriptor* const service = Program().FindServiceByName(name);
    if (service != nullptr) Learn(service->file());
  }
}

void ReflectionAnswers::Learn(const FileDescriptor* file) {
  if (files_.contains(file)) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  files_.emplace(file, proto.SerializeAsString());
  for (int i = 0; i < file->dependency_count(); ++i) Learn(file->dependency(i));
}

ServerReflectionResponse ReflectionAnswers::Answer(const ServerReflectionRequest& request) const {
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices:
      for (const std::string& name : services_) {
        response.mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    case ServerReflectionRequest::kFileByFilename:
      TellFile(Program().FindFileByName(request.file_by_filename()), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      TellFile(Program().FindFileContainingSymbol(request.file_containing_symbol()), response);
      break;
    case ServerReflectionRequest::kFileContainingExtension:
      TellFile(FileOf(request.file_containing_extension()), response);
      break;
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      TellExtensions(request.all_extension_numbers_of_type(), response);
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      Fail(grpc::StatusCode::INVALID_ARGUMENT, "ask for one of the things in message_request",
           response);
  }
  return response;
}

void ReflectionAnswers::TellFile(const FileDescriptor* file,
                                 ServerReflectionResponse& response) const {
  if (file == nullptr || !files_.contains(file)) {
    return Fail(grpc::StatusCode::NOT_FOUND, "no service here has that", response);
  }
  auto& told = *response.mutable_file_descriptor_response();
  std::vector<const FileDescriptor*> next = {file};
  std::set<const FileDescriptor*> known = {file};
  while (!next.empty()) {
    const FileDescriptor* const one = next.back();
    next.pop_back();
    told.add_file_descriptor_proto(files_.at(one));
    for (int i = 0; i < one->dependency_count(); ++i) {
      if (known.insert(one->dependency(i)).second) next.push_back(one->dependency(i));
    }
  }
}

void ReflectionAnswers::TellExtensions(const std::string& type,
                                       ServerReflectionResponse& response) const {
  const auto* const found = Program().FindMessageTypeByName(type);
  if (found == nullptr || !files_.contains(found->file())) {
    return Fail(grpc::StatusCode::NOT_FOUND, "no service here has that type", response);
  }
  auto& told = *response.mutable_all_extension_numbers_response();
  told.set_base_type_name(type);
  std::vector<const FieldDescriptor*> extensions;
  Program().FindAllExtensions(found, &extensions);
  for (const FieldDescriptor* extension : extensions) {
    if (files_.contains(extension->file())) told.add_extension_number(extension->number());
  }
}

}  // namespace wormhole::relay
