// What the sanitizers misjudge in Debian's libraries. Nothing of ours is named here, nor gRPC.
// Without the sanitizers nobody calls these.

// Debian's Abseil is not instrumented, so the reference count that copies of an absl::Status share
// looks like no synchronization, and the last copy's destructor like a race with those that read
// another one.
extern "C" const char* __tsan_default_suppressions() {
  return "race:absl::*Status::Unref\n"
         "called_from_lib:libabsl_status.so\n"
         "called_from_lib:libabsl_cord.so\n";
}

// c-ares 1.18 loses ten bytes each time that it looks up `localhost`. OpenSSL's exit handler
// forgets the error queues of threads that are still there, and gRPC's threads are.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libcares.so\n"
         "leak:libcrypto.so\n";
}
