#include "relay/server/shared_page.h"

namespace wormhole::relay {

SharedPage::Page SharedPage::After(uint64_t begun) {
  sync::MutexLock lock(mutex_);
  if (number_ <= begun) {
    const uint64_t number = ++begun_;
    page_ = std::make_shared<const std::string>(write_());
    number_ = number;
  }
  return page_;
}

}  // namespace wormhole::relay
