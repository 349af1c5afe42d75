// What an exchange tells people while it goes on.
#ifndef WORMHOLE_PROGRESS_H_
#define WORMHOLE_PROGRESS_H_

#include <string>

namespace wormhole {
inline namespace v0 {

// A line for people. Never secrets. A plain value, which the callback may keep.
struct ProgressEvent {
  // What has happened. Later versions may add kinds: show `text` for one that you do not know.
  enum class Kind {
    kConnecting,    // a stream is being opened
    kDisconnected,  // it was lost; `text` says why and when the next try is
    kWaiting,       // the relay is there, the other side is not yet
    kPeerArrived,   // the other side is there
    kThirdParty,    // somebody else tried to join with this channel id and was refused
    kMotd,  // the relay operator's message of the day: foreign text: escape it for terminals
  };
  Kind kind = Kind::kConnecting;  // for programs
  std::string text;               // for people: one line of English, but for kMotd
};

}  // namespace v0
}  // namespace wormhole

#endif  // WORMHOLE_PROGRESS_H_
