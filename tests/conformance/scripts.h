// The pieces that scripts of misbehaving relays are put together from.
#ifndef WORMHOLE_TESTS_CONFORMANCE_SCRIPTS_H_
#define WORMHOLE_TESTS_CONFORMANCE_SCRIPTS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "tests/conformance/refusal.h"
#include "tests/conformance/scripted_channel.h"

namespace wormhole::conformance {

using Arm = AttachRequest::RequestCase;
inline constexpr size_t kEver = SIZE_MAX;

// Changes `opened` on the first `streams` streams.
Script ChangeOpened(std::function<void(rendezvous::v1::Opened&)> change, size_t streams = kEver);

// Ends the stream with `status` at each request of the kind, on the first `streams` streams. The
// request is not looked at.
Script EndAt(Arm what, grpc::Status status, size_t streams = kEver);
// The same after the request has been dealt with.
Script EndAfter(Arm what, grpc::Status status, size_t streams = kEver);

// Sends `extra` before or after each honest response of the kind, on the first `streams` streams.
Script Before(AttachResponse::ResponseCase what, AttachResponse extra, size_t streams = kEver);
Script After(AttachResponse::ResponseCase what, AttachResponse extra, size_t streams = kEver);
// Leaves out each honest response of the kind.
Script Without(AttachResponse::ResponseCase what, size_t streams = kEver);

// Changes the other side's frame on its way.
Script ChangeFrame(uint64_t number, std::function<void(std::string& frame)> change);
// The same in its parts.
Script ChangeParts(uint64_t number, std::function<void(ExchangeFrame& frame)> change);

// A bit of the byte at `at` (from the back when negative) is turned over.
void Flip(std::string* text, int at);

AttachResponse Posted(uint64_t number);
AttachResponse MessageOf(uint64_t number, std::string frame);
AttachResponse Beat();
AttachResponse DrainingAfter(int64_t milliseconds);

}  // namespace wormhole::conformance

#endif  // WORMHOLE_TESTS_CONFORMANCE_SCRIPTS_H_
