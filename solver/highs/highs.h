// The part of HiGHS 1.12's C interface (highs_c_api.h, HighsCallbackStruct.h; MIT) that
// engine.go uses: the module that carries the library keeps its headers in a folder that
// no other module can name. engine.go compares the version.

#include <stdint.h>
#include <stdlib.h>

typedef int HighsInt;

typedef struct {
  void *cbdata;
  int log_type;
  double running_time;
  HighsInt simplex_iteration_count;
  HighsInt ipm_iteration_count;
  HighsInt pdlp_iteration_count;
  double objective_function_value;
  int64_t mip_node_count;
  int64_t mip_total_lp_iterations;
  // more follows
} HighsCallbackDataOut;

typedef struct {
  int user_interrupt;
  // more follows
} HighsCallbackDataIn;

typedef void (*HighsCCallbackType)(int, const char *, const HighsCallbackDataOut *,
                                   HighsCallbackDataIn *, void *);

void *Highs_create(void);
void Highs_destroy(void *highs);
HighsInt Highs_versionMajor(void);
HighsInt Highs_versionMinor(void);
HighsInt Highs_getSizeofHighsInt(const void *highs);
void Highs_resetGlobalScheduler(const HighsInt blocking);

HighsInt Highs_setBoolOptionValue(void *highs, const char *option, const HighsInt value);
HighsInt Highs_setIntOptionValue(void *highs, const char *option, const HighsInt value);
HighsInt Highs_setDoubleOptionValue(void *highs, const char *option, const double value);
HighsInt Highs_setStringOptionValue(void *highs, const char *option, const char *value);

HighsInt Highs_passMip(void *highs, const HighsInt num_col, const HighsInt num_row,
                       const HighsInt num_nz, const HighsInt a_format, const HighsInt sense,
                       const double offset, const double *col_cost, const double *col_lower,
                       const double *col_upper, const double *row_lower,
                       const double *row_upper, const HighsInt *a_start,
                       const HighsInt *a_index, const double *a_value,
                       const HighsInt *integrality);
HighsInt Highs_addRow(void *highs, const double lower, const double upper,
                      const HighsInt num_new_nz, const HighsInt *index, const double *value);
HighsInt Highs_deleteRowsBySet(void *highs, const HighsInt num_set_entries,
                               const HighsInt *set);
HighsInt Highs_changeColsCostByRange(void *highs, const HighsInt from_col,
                                     const HighsInt to_col, const double *cost);
HighsInt Highs_changeColBounds(void *highs, const HighsInt col, const double lower,
                               const double upper);
HighsInt Highs_changeRowBounds(void *highs, const HighsInt row, const double lower,
                               const double upper);
HighsInt Highs_changeObjectiveSense(void *highs, const HighsInt sense);
HighsInt Highs_changeObjectiveOffset(void *highs, const double offset);
HighsInt Highs_clearSolver(void *highs);
HighsInt Highs_setSolution(void *highs, const double *col_value, const double *row_value,
                           const double *col_dual, const double *row_dual);

HighsInt Highs_setCallback(void *highs, HighsCCallbackType user_callback, void *user_data);
HighsInt Highs_startCallback(void *highs, const HighsInt callback_type);
HighsInt Highs_run(void *highs);
double Highs_getRunTime(const void *highs);

HighsInt Highs_getModelStatus(const void *highs);
HighsInt Highs_getSolution(const void *highs, double *col_value, double *col_dual,
                           double *row_value, double *row_dual);
HighsInt Highs_getDualRay(const void *highs, HighsInt *has_dual_ray, double *value);
HighsInt Highs_getPrimalRay(const void *highs, HighsInt *has_primal_ray, double *value);
HighsInt Highs_getIntInfoValue(const void *highs, const char *info, HighsInt *value);
HighsInt Highs_getInt64InfoValue(const void *highs, const char *info, int64_t *value);
HighsInt Highs_getDoubleInfoValue(const void *highs, const char *info, double *value);

// vouch_poll is what HiGHS's callback reads and writes, from whatever thread runs it.
typedef struct {
  int stop;           // set from outside: stop
  int exhausted;      // set here: the iterations are used up
  int64_t iterations; // most; 0: no limit
} vouch_poll;

enum { vouch_simplex_interrupt = 1, vouch_mip_interrupt = 6 };

static void vouch_callback(int type, const char *message, const HighsCallbackDataOut *out,
                           HighsCallbackDataIn *in, void *user) {
  vouch_poll *p = (vouch_poll *)user;
  (void)message;
  if (__atomic_load_n(&p->stop, __ATOMIC_RELAXED)) {
    in->user_interrupt = 1;
    return;
  }
  int64_t done = type == vouch_mip_interrupt ? out->mip_total_lp_iterations
                                             : out->simplex_iteration_count;
  if (p->iterations > 0 && done >= p->iterations) {
    p->exhausted = 1;
    in->user_interrupt = 1;
  }
}

static void vouch_stop(vouch_poll *p) { __atomic_store_n(&p->stop, 1, __ATOMIC_RELAXED); }

static HighsInt vouch_watch(void *highs, vouch_poll *p) {
  HighsInt status = Highs_setCallback(highs, vouch_callback, p);
  if (status == 0) status = Highs_startCallback(highs, vouch_simplex_interrupt);
  if (status == 0) status = Highs_startCallback(highs, vouch_mip_interrupt);
  return status;
}
