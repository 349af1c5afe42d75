#include "relay/server/shared_page.h"

namespace wormhole::relay {

SharedPage::Page SharedPage::After(uint64_t begun) {
  sync::MutexLock lock(mutex_);
  if (number_ <= begun) {
    number_ = ++begun_;
    page_ = std::make_shared<const std::string>(write_());
  }
  return page_;
}

}  // namespace wormhole::relay
