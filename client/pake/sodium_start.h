// The one place where the client library starts libsodium.
#ifndef WORMHOLE_CLIENT_PAKE_SODIUM_START_H_
#define WORMHOLE_CLIENT_PAKE_SODIUM_START_H_

namespace wormhole::pake {

enum class SodiumStart {
  kStarted,
  kNoRandomness,     // the system has none
  kForkedMeanwhile,  // by another thread of the parent, so never here
};

// Any thread. What needs libsodium calls this first, and never sodium_init(): that takes a lock of
// the whole process in every call, so a child that was forked while another thread had it would
// wait there for ever. This takes none once libsodium has started, here or in the parent.
SodiumStart StartSodium();

}  // namespace wormhole::pake

#endif  // WORMHOLE_CLIENT_PAKE_SODIUM_START_H_
