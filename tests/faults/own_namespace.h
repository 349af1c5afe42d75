// Namespaces of a test's own, as far as the machine lets it make any.
#ifndef WORMHOLE_TESTS_FAULTS_OWN_NAMESPACE_H_
#define WORMHOLE_TESTS_FAULTS_OWN_NAMESPACE_H_

namespace wormhole::faults {

// Puts the calling thread, and the threads and processes that it starts from now on, into a new
// namespace of these kinds (CLONE_NEWNS, CLONE_NEWNET), in which it is root: as root, or where
// users may make namespaces, which takes a process that has no other thread yet. False with errno
// when this machine does not allow it. The namespace is gone with the last process in it.
bool EnterOwnNamespace(int kinds);

}  // namespace wormhole::faults

#endif  // WORMHOLE_TESTS_FAULTS_OWN_NAMESPACE_H_
