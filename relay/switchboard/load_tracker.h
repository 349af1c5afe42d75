// Which of the store's answers a live channel goes by, and whether it needs a newer one.
#ifndef WORMHOLE_RELAY_SWITCHBOARD_LOAD_TRACKER_H_
#define WORMHOLE_RELAY_SWITCHBOARD_LOAD_TRACKER_H_

#include <cstdint>

namespace wormhole::relay {

// Loads have numbers, from 1, and the channel makes one at a time. An operation waits for a load
// that began after the operation came. So each load serves all that came before it, however many
// those are. Pure, not thread-safe.
class LoadTracker {
 public:
  // Something is known of the channel: from a load, or assumed.
  bool known() const { return known_; }
  bool loading() const { return loading_; }
  // Something is known, and no load is under way that would show something newer.
  bool current() const { return known_ && !loading_; }
  // Nothing is known and no load is under way.
  bool blank() const { return !known_ && !loading_; }

  // Only when blank(): the caller goes by what it expects the store to have, without a load. The
  // store refuses a change that goes by a wrong record.
  void Assume() {
    known_ = true;
    needed_ = 0;
  }

  // What is known may be out of date. Returns the number of the load that will be new enough.
  uint64_t RequireReload() {
    needed_ = begun_ + 1;
    return needed_;
  }
  // Whether a load with this number, or a later one, has been adopted. 0: any will do.
  bool Has(uint64_t load) const { return load <= done_; }

  // A load should begin now.
  bool wanted() const { return !loading_ && needed_ > begun_; }
  void Begin() {
    loading_ = true;
    ++begun_;
  }
  // The load has been answered. False: the answer may be older than what was stored meanwhile, and
  // must not be adopted; another load is wanted.
  bool Finish() {
    loading_ = false;
    if (begun_ <= stale_) {
      RequireReload();
      return false;
    }
    known_ = true;
    done_ = begun_;
    return true;
  }
  // A change of this relay's own was stored: the load that is under way may not show it.
  void NoteStored() {
    if (loading_) stale_ = begun_;
  }

 private:
  bool known_ = false;
  bool loading_ = false;
  uint64_t needed_ = 1;
  uint64_t begun_ = 0;
  uint64_t done_ = 0;   // the last one that was adopted
  uint64_t stale_ = 0;  // the last one that must not be
};

}  // namespace wormhole::relay

#endif  // WORMHOLE_RELAY_SWITCHBOARD_LOAD_TRACKER_H_
