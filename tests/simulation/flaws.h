// Deliberate breakage, put into the simulated surroundings, that the judges have to catch: who
// finds nothing here would find nothing in the product either.
#ifndef WORMHOLE_TESTS_SIMULATION_FLAWS_H_
#define WORMHOLE_TESTS_SIMULATION_FLAWS_H_

namespace wormhole::simulation {

struct Flaws {
  bool posted_before_commit = false;  // the store answers an append before it is durable
  bool opened_before_commit = false;  // the store answers a put before it is durable
  bool early_forget = false;          // the store forgets one frame more than was accepted
  bool forgotten_commit = false;      // the store loses its last durable batch in a crash
  bool dropped_resend = false;        // a client posts no frame a second time
  bool lying_save_hook = false;       // a client's hook says that it saved before it has
  bool anew_after_crash = false;      // a client starts anew with its code instead of restoring
  bool overtaken_posts = false;       // the network lets a request overtake a post
  bool no_tick = false;               // the relay never looks at the clock
  // Of a relay's own store:
  bool inherited_cursor = false;  // a channel begins with the cursors of the one before it
  bool sides_let_go = false;      // a channel's place is taken, and its sides are new again
  // Of a store that several relays share:
  bool silent_gap = false;       // news get lost and nobody is told that something was missed
  bool silent_presence = false;  // nobody hears where a side is attached
  bool stale_load = false;       // a load shows what an earlier one has shown
  bool kept_words = false;       // who came along with a put that has failed is left as attached
  bool nameless_words = false;   // where a side is attached is said of whichever channel has the id
  bool stale_look = false;       // with a record that is put come logs as they were before
};

}  // namespace wormhole::simulation

#endif  // WORMHOLE_TESTS_SIMULATION_FLAWS_H_
