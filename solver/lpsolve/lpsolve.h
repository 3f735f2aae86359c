// lp_solve's abort callback, and the two functions that its header does not export.

#include <lp_lib.h>
#include <stdlib.h>

// vouch_poll is what the callback reads and writes.
typedef struct {
  int stop;        // set from outside: stop
  int aborted;     // set here: the callback has stopped the run ...
  int iterated;    // ... because the iterations are used up
  int branched;    // ... because the nodes are
  long long iterations, nodes; // most; 0: no limit
} vouch_poll;

static int vouch_abort(lprec *lp, void *user) {
  vouch_poll *p = (vouch_poll *)user;
  if (p->iterations > 0 && get_total_iter(lp) >= p->iterations) p->iterated = p->aborted = 1;
  if (p->nodes > 0 && get_total_nodes(lp) > p->nodes) p->branched = p->aborted = 1;
  if (__atomic_load_n(&p->stop, __ATOMIC_RELAXED)) p->aborted = 1;
  return p->aborted;
}

static void vouch_stop(vouch_poll *p) { __atomic_store_n(&p->stop, 1, __ATOMIC_RELAXED); }

static void vouch_watch(lprec *lp, vouch_poll *p) { put_abortfunc(lp, vouch_abort, p); }
