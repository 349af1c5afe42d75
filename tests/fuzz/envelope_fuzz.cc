// The bytes in `grpc-status-details-bin`, from whoever answers.
#include <string_view>

#include "proto/error/error_detail.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view envelope(reinterpret_cast<const char*>(data), size);
  const absl::Status status =
      wormhole::error::FromWire(static_cast<int>(size % 20), "message", envelope);
  wormhole::error::ReasonOf(status);
  wormhole::error::ToEnvelope(status);
  return 0;
}
