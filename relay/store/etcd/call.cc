#include "relay/store/etcd/call.h"

#include <type_traits>
#include <utility>

namespace wormhole::relay {

void FailCall(EtcdCall& call, const absl::Status& status, EtcdAnswers& answers) {
  std::visit(
      [&](auto& what) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(what)>, PresenceCall>) {
          answers.push_back([done = std::move(what.done), status] { done(status); });
        }
      },
      call.what);
}

}  // namespace wormhole::relay
