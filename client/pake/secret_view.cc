#include "client/pake/secret_view.h"

#include <sodium.h>

#include <cstring>

namespace wormhole::pake {

bool SecretView::Equals(SecretView other) const {
  if (size_ != other.size_) return false;
  return size_ == 0 || sodium_memcmp(data_, other.data_, size_) == 0;
}

bool SecretSpan::CopyFrom(SecretView source) const {
  if (source.size() != size_) return false;
  if (size_ > 0) std::memmove(data_, source.data(SecretAccess{}), size_);
  return true;
}

}  // namespace wormhole::pake
