// A test that crashes. See tests/cores_check.
#include <cstdlib>

namespace {

// Has a frame of its own, which is looked for.
[[gnu::noinline]] void CrashOnPurpose() { std::abort(); }

}  // namespace

int main() {
  CrashOnPurpose();
  return 0;
}
