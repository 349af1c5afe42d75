#include "tests/faults/cutting_proxy.h"

#include <memory>
#include <optional>

namespace wormhole::faults {
namespace {

constexpr size_t kPrefaceBytes = 24;
constexpr size_t kHeaderBytes = 9;

// Cuts a stream of bytes at the borders of its frames (RFC 9113, section 4.1).
class FrameSplitter {
 public:
  explicit FrameSplitter(bool from_client) : preface_(from_client) {}

  void Add(const std::string& bytes) { pending_ += bytes; }
  std::optional<std::string> Next() {
    const size_t size = NextSize();
    if (size == 0 || pending_.size() < size) return std::nullopt;
    preface_ = false;
    std::string frame = pending_.substr(0, size);
    pending_.erase(0, size);
    return frame;
  }

 private:
  size_t NextSize() const {
    if (preface_) return kPrefaceBytes;
    if (pending_.size() < kHeaderBytes) return 0;
    const auto byte = [this](int i) { return static_cast<unsigned char>(pending_[i]); };
    return kHeaderBytes + (byte(0) << 16 | byte(1) << 8 | byte(2));
  }

  bool preface_;
  std::string pending_;
};

struct Link {
  FrameSplitter up{/*from_client=*/true};
  FrameSplitter down{/*from_client=*/false};
};

}  // namespace

CuttingProxy::CuttingProxy(const std::string& relay, Cut cut)
    : cut_(cut),
      proxy_(relay, {.make_filter = [this] { return MakeFilter(); }, .reset = cut.reset}) {}

TcpProxy::Filter CuttingProxy::MakeFilter() {
  return [this, link = std::make_shared<Link>()](bool towards_relay, const std::string& bytes,
                                                 const TcpProxy::Send& send) {
    FrameSplitter& frames = towards_relay ? link->up : link->down;
    frames.Add(bytes);
    while (std::optional<std::string> frame = frames.Next()) {
      if (!send(*frame) || IsLast(towards_relay)) return false;
    }
    return true;
  };
}

bool CuttingProxy::IsLast(bool towards_relay) {
  if (towards_relay != cut_.towards_relay || ++frames_ != cut_.after_frames) return false;
  has_cut_ = true;
  return true;
}

}  // namespace wormhole::faults
