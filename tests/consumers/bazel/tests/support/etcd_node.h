#ifndef CONSUMER_TESTS_SUPPORT_ETCD_NODE_H_
#define CONSUMER_TESTS_SUPPORT_ETCD_NODE_H_

namespace consumer {
constexpr int kEtcdNode = 100;
}  // namespace consumer

#endif  // CONSUMER_TESTS_SUPPORT_ETCD_NODE_H_
