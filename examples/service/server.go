package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Limits of the service. Verification can take any time and much memory, so a
// request is cut short in each direction: the size of its body, the time that is
// spent on it, the memory of its open sub-problems, and how many run at once.
// One more is told at once to come again, rather than made to wait.
type limits struct {
	body     int64         // bytes of a request
	deadline time.Duration // for a request; one may ask for less
	memory   int64         // bytes of open sub-problems, for each request
	parallel int           // requests at a time
}

// server answers requests about one network.
type server struct {
	net    nn.Network
	limits limits
	slots  chan struct{} // one token for each request that is worked on
	log    *slog.Logger
	verify func(context.Context, nn.Network, *spec.Property, bab.Options) (*spec.Result, error)
}

func newServer(net nn.Network, l limits, log *slog.Logger) *server {
	return &server{net: net, limits: l, slots: make(chan struct{}, l.parallel), log: log, verify: bab.Verify}
}

// routes are the service's addresses.
func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /v1/network", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"input": nn.InputShape(s.net), "output": nn.OutputShape(s.net), "parameters": nn.NumParams(s.net)})
	})
	mux.HandleFunc("POST /v1/certify", s.certify)
	return mux
}

// request asks for the class of an input, and whether it stays the same while
// each value changes by at most its radius.
type request struct {
	Input   []float64 `json:"input"`
	Radius  []float64 `json:"radius"`  // one for all values, or one for each
	Seconds float64   `json:"seconds"` // at most; 0: as long as the service allows
}

// response is the answer. Verdict verified: no such change alters the class.
// falsified: the input Counterexample does. unknown: Reason says why.
type response struct {
	Class          int       `json:"class"`
	Verdict        string    `json:"verdict"`
	Reason         string    `json:"reason,omitempty"`
	Counterexample []float64 `json:"counterexample,omitempty"`
	Seconds        float64   `json:"seconds"`
}

// requestError is what the caller did wrong.
type requestError struct {
	status int
	text   string
}

func (e *requestError) Error() string { return e.text }

func refuse(status int, format string, args ...any) error {
	return &requestError{status, fmt.Sprintf(format, args...)}
}

func (s *server) certify(w http.ResponseWriter, r *http.Request) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(s.limits.deadline.Seconds()))))
		reply(w, http.StatusServiceUnavailable, failure("all workers are busy"))
		return
	}
	answer, err := s.answer(r.Context(), http.MaxBytesReader(w, r.Body, s.limits.body))
	var wrong *requestError
	switch {
	case errors.As(err, &wrong):
		reply(w, wrong.status, failure(wrong.text))
	case err != nil:
		s.log.Error("certify", "error", err)
		reply(w, http.StatusInternalServerError, failure("internal error"))
	default:
		s.log.Info("certify", "verdict", answer.Verdict, "reason", answer.Reason, "seconds", answer.Seconds)
		reply(w, http.StatusOK, answer)
	}
}

// answer is the work on a request: read, classify, verify.
func (s *server) answer(ctx context.Context, body io.Reader) (*response, error) {
	begin := time.Now()
	q, err := s.read(body)
	if err != nil {
		return nil, err
	}
	output, err := nn.Evaluate(s.net, q.Input)
	if err != nil {
		return nil, err
	}
	class := 0
	for i, y := range output {
		if y > output[class] {
			class = i
		}
	}
	lower, upper := make([]float64, len(q.Input)), make([]float64, len(q.Input))
	for i, x := range q.Input { // a box of float64 values around that of the real numbers
		radius := q.Radius[min(i, len(q.Radius)-1)]
		lower[i], upper[i] = math.Nextafter(x-radius, math.Inf(-1)), math.Nextafter(x+radius, math.Inf(1))
	}
	box, err := spec.NewBox(lower, upper)
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	limit := s.limits.deadline
	if q.Seconds > 0 {
		limit = min(limit, time.Duration(q.Seconds*float64(time.Second)))
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	property := spec.Robustness(box, class, len(output))
	result, err := s.verify(ctx, s.net, &property, bab.Options{MaxMemory: s.limits.memory})
	if err != nil {
		return nil, err
	}
	answer := &response{Class: class, Verdict: result.Verdict.String(), Reason: result.Reason.String(), Seconds: time.Since(begin).Seconds()}
	if result.Verdict == spec.Falsified {
		answer.Counterexample = result.Counterexample.Input
	}
	return answer, nil
}

// read parses and checks a request. Errors: *requestError.
func (s *server) read(body io.Reader) (*request, error) {
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	q := &request{}
	err := decoder.Decode(q)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one JSON value, or what follows is none")
		}
	}
	var tooLarge *http.MaxBytesError
	n := nn.InputShape(s.net).Size()
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "the request is larger than %d bytes", tooLarge.Limit)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "not a request: %v", err)
	case len(q.Input) != n:
		return nil, refuse(http.StatusUnprocessableEntity, "input has %d values, want %d", len(q.Input), n)
	case len(q.Radius) != 1 && len(q.Radius) != n:
		return nil, refuse(http.StatusUnprocessableEntity, "radius has %d values, want 1 or %d", len(q.Radius), n)
	case q.Seconds < 0 || q.Seconds > 1e6:
		return nil, refuse(http.StatusUnprocessableEntity, "seconds = %g is not in [0, 1e6]", q.Seconds)
	}
	for i, v := range q.Radius {
		if v < 0 {
			return nil, refuse(http.StatusUnprocessableEntity, "radius %d = %g is negative", i, v)
		}
	}
	return q, nil
}

func failure(text string) map[string]string { return map[string]string{"error": text} }

// reply writes v as JSON. A client that is gone cannot be told.
func reply(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(data, '\n')) //nolint:errcheck // see above
}
