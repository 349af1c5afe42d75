#include "tests/store/start_store.h"

namespace wormhole::relay {
namespace {

class IdListener final : public StoreListener {
 public:
  explicit IdListener(const std::function<void(const ChannelKey&, IdState state)>& visit)
      : visit_(visit) {}

  void OnId(const ChannelKey& key, IdState state) override {
    if (visit_ && state != IdState::kFree) visit_(key, state);
  }
  void OnChanged(const ChannelKey&, const ChannelSnapshot*) override {}
  void OnLog(const ChannelRef&, Role, const LogState&, const StoredFrame*) override {}
  void OnPresence(const ChannelRef&, Role, bool) override {}
  void OnThirdParties(const ChannelRef&, uint32_t) override {}
  void OnReset(bool) override {}

 private:
  const std::function<void(const ChannelKey&, IdState state)>& visit_;
};

}  // namespace

absl::Status StartStore(Store& store,
                        const std::function<void(const ChannelKey&, IdState state)>& visit) {
  IdListener listener(visit);
  const absl::Status status = store.Start(&listener);
  store.StopTelling();
  return status;
}

}  // namespace wormhole::relay
