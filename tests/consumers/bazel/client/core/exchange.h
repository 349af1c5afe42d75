#ifndef CONSUMER_CLIENT_CORE_EXCHANGE_H_
#define CONSUMER_CLIENT_CORE_EXCHANGE_H_

namespace consumer {
constexpr int kExchange = 1;
}  // namespace consumer

#endif  // CONSUMER_CLIENT_CORE_EXCHANGE_H_
