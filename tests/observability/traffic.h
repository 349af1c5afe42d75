// What a relay in use sees: exchanges that finish, that fail in each of the usual ways, and some
// that are left.
#ifndef WORMHOLE_TESTS_OBSERVABILITY_TRAFFIC_H_
#define WORMHOLE_TESTS_OBSERVABILITY_TRAFFIC_H_

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/grpcpp.h"
#include "tests/support/attach_client.h"
#include "wormhole/wormhole.h"

namespace wormhole::testing {

// Of one thread.
class Traffic {
 public:
  // The app-id of the exchanges of the library; raw ones are of another.
  static constexpr char kApp[] = "example.com/observed";

  explicit Traffic(const std::string& relay);

  // Some of each, one after the other. A test failure when one does not end as it should.
  void Round();
  // An exchange that finishes, and one that is refused.
  void Finish();
  void UnknownCode();

  Options NewOptions() const;

 private:
  void WrongCode();
  void GiveUp();
  void Crowd();
  void Expire();
  void CheckHealth();

  const std::string relay_;
  const std::shared_ptr<grpc::Channel> channel_;
  service_test::AttachClient waiting_;  // for a channel that never comes
};

}  // namespace wormhole::testing

#endif  // WORMHOLE_TESTS_OBSERVABILITY_TRAFFIC_H_
