#ifndef CONSUMER_PROTO_SYNC_MUTEX_H_
#define CONSUMER_PROTO_SYNC_MUTEX_H_

namespace consumer {
constexpr int kMutex = 10;
}  // namespace consumer

#endif  // CONSUMER_PROTO_SYNC_MUTEX_H_
