package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/examples/unittest"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

func newTestServer(t *testing.T) *server {
	t.Helper()
	net, err := unittest.Load()
	require.NoError(t, err)
	l := limits{body: 1000, deadline: 5 * time.Second, memory: 64 << 20, parallel: 2}
	return newServer(net, l, slog.New(slog.DiscardHandler))
}

// post sends a request and returns status and answer.
func post(t *testing.T, url, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.Post(url+"/v1/certify", "application/json", strings.NewReader(body))
	require.NoError(t, err)
	return answerOf(t, r)
}

func answerOf(t *testing.T, r *http.Response) (int, map[string]any) {
	t.Helper()
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	answer := map[string]any{}
	require.NoError(t, json.Unmarshal(data, &answer), string(data))
	return r.StatusCode, answer
}

func TestCertify(t *testing.T) {
	s := newTestServer(t)
	h := httptest.NewServer(s.routes())
	defer h.Close()

	status, answer := post(t, h.URL, `{"input":[12,15,0.5],"radius":[1,0.5,0]}`)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "verified", answer["verdict"])
	assert.EqualValues(t, unittest.Brake, answer["class"])
	assert.NotContains(t, answer, "counterexample")

	status, answer = post(t, h.URL, `{"input":[12,15,0.5],"radius":[20],"seconds":2.5}`)
	assert.Equal(t, http.StatusOK, status)
	require.Equal(t, "falsified", answer["verdict"])
	var x []float64
	for _, v := range answer["counterexample"].([]any) {
		x = append(x, v.(float64))
	}
	class, err := unittest.Decide(s.net, x[0], x[1], x[2])
	require.NoError(t, err)
	assert.Equal(t, unittest.Coast, class)
	assert.InDelta(t, 12, x[0], 20.001)
}

func TestOtherAddresses(t *testing.T) {
	h := httptest.NewServer(newTestServer(t).routes())
	defer h.Close()
	for path, want := range map[string]int{"/healthz": 200, "/v1/network": 200, "/v1/certify": 405, "/": 404} {
		r, err := http.Get(h.URL + path)
		require.NoError(t, err)
		r.Body.Close()
		assert.Equal(t, want, r.StatusCode, path)
	}
}

func TestRefuses(t *testing.T) {
	h := httptest.NewServer(newTestServer(t).routes())
	defer h.Close()
	for body, want := range map[string]struct {
		status int
		says   string
	}{
		``:                                  {400, "not a request"},
		`{`:                                 {400, "not a request"},
		`[1,2]`:                             {400, "not a request"},
		`{"input":[1,2,3],"radius":[1]}}`:   {400, "not a request"},
		`{"input":[1,2,3],"radius":[1]} {}`: {400, "more than one"},
		`{"input":[1,2,3],"radius":[1],"label":3}`:     {400, "unknown field"},
		`{"input":[1,2,1e999],"radius":[1]}`:           {400, "not a request"},
		`{"input":[1,2],"radius":[1]}`:                 {422, "input has 2 values, want 3"},
		`{"input":[1,2,3]}`:                            {422, "radius has 0 values"},
		`{"input":[1,2,3],"radius":[1,2]}`:             {422, "radius has 2 values, want 1 or 3"},
		`{"input":[1,2,3],"radius":[1,-2,0]}`:          {422, "radius 1 = -2 is negative"},
		`{"input":[1,2,3],"radius":[1],"seconds":-1}`:  {422, "seconds = -1"},
		`{"input":[1,2,3],"radius":[1],"seconds":1e9}`: {422, "seconds = 1e+09"},
		`{"input":[1e308,0,0],"radius":[1e308]}`:       {422, "has the bounds"},
		`{"input":[` + strings.Repeat("1,", 1000):      {413, "larger than 1000 bytes"},
	} {
		status, answer := post(t, h.URL, body)
		assert.Equal(t, want.status, status, body)
		assert.Contains(t, answer["error"], want.says, body)
	}
}

// waiting replaces the verifier by one that works until its context ends.
func waiting(s *server) (started chan struct{}) {
	started = make(chan struct{}, 10)
	s.verify = func(ctx context.Context, _ nn.Network, _ *spec.Property, _ bab.Options) (*spec.Result, error) {
		started <- struct{}{}
		<-ctx.Done()
		reason := spec.ReasonCancelled
		if ctx.Err() == context.DeadlineExceeded {
			reason = spec.ReasonTimeout
		}
		return &spec.Result{Reason: reason}, nil
	}
	return started
}

const question = `{"input":[12,15,0.5],"radius":[1]}`

func TestDeadline(t *testing.T) {
	s := newTestServer(t)
	waiting(s)
	h := httptest.NewServer(s.routes())
	defer h.Close()
	s.limits.deadline = 50 * time.Millisecond
	for _, body := range []string{question, `{"input":[12,15,0.5],"radius":[1],"seconds":1000}`} {
		status, answer := post(t, h.URL, body)
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, "unknown", answer["verdict"])
		assert.Equal(t, "timeout", answer["reason"])
	}
	s.limits.deadline = time.Hour
	_, answer := post(t, h.URL, `{"input":[12,15,0.5],"radius":[1],"seconds":0.05}`)
	assert.Equal(t, "timeout", answer["reason"], "a client may ask for less")
}

// TestBusy: the one more is sent away, and a client that leaves makes room.
func TestBusy(t *testing.T) {
	s := newTestServer(t)
	started := waiting(s)
	h := httptest.NewServer(s.routes())
	defer h.Close()
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan struct{})
	for range s.limits.parallel {
		go func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL+"/v1/certify", strings.NewReader(question))
			assert.NoError(t, err)
			_, err = http.DefaultClient.Do(r) //nolint:bodyclose // there is none
			assert.ErrorIs(t, err, context.Canceled)
			done <- struct{}{}
		}()
		<-started
	}
	r, err := http.Post(h.URL+"/v1/certify", "application/json", strings.NewReader(question))
	require.NoError(t, err)
	assert.Equal(t, "5", r.Header.Get("Retry-After"))
	status, answer := answerOf(t, r)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, answer["error"], "busy")

	leave()
	for range s.limits.parallel {
		<-done
	}
	assert.Eventually(t, func() bool { return len(s.slots) == 0 }, 10*time.Second, time.Millisecond)
}

// TestShutdown: a request that is worked on is answered, a new one is not taken.
func TestShutdown(t *testing.T) {
	s := newTestServer(t)
	started, release := make(chan struct{}), make(chan struct{})
	s.verify = func(context.Context, nn.Network, *spec.Property, bab.Options) (*spec.Result, error) {
		close(started)
		<-release
		return &spec.Result{Verdict: spec.Verified}, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, s) }()
	answered := make(chan map[string]any, 1)
	go func() {
		_, answer := post(t, url, question)
		answered <- answer
	}()
	<-started
	stop()
	assert.Eventually(t, func() bool {
		c, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond, "new connections are refused")
	close(release)
	assert.Equal(t, "verified", (<-answered)["verdict"])
	require.NoError(t, <-ended)
}

// TestPicture: the picture's answers are those of the handlers, and a larger radius proves less.
func TestPicture(t *testing.T) {
	h := httptest.NewServer(newTestServer(t).routes())
	defer h.Close()
	s := &survey{url: h.URL, situations: [][]float64{{12, 15, 0.5}, {90, 30, 0.5}, {50, 20, 0.9}, {40, 38, 0.1}}}
	last := shares{verified: 1}
	for _, radius := range []float64{0, 0.05, 0.2, 1} {
		a, err := s.ask(t.Context(), radius, 0)
		require.NoError(t, err)
		assert.InDelta(t, 1, a.verified+a.unknown+a.falsified, 1e-9)
		assert.LessOrEqual(t, a.verified, last.verified)
		last = a
	}
	assert.Equal(t, shares{falsified: 1}, last)
	s.situations = [][]float64{{1, 2}}
	_, err := s.ask(t.Context(), 0.1, 0)
	require.ErrorContains(t, err, "input has 2 values")

	file := filepath.Join(t.TempDir(), "answers.svg")
	require.NoError(t, draw(t.Context(), file, 2))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, want := range []string{"</svg>", "verified", "falsified", "deadline, ms"} {
		assert.Contains(t, string(text), want)
	}
}

func TestRunRefuses(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), "localhost:0", "", limits{}), "must be positive")
	l := limits{body: 1, deadline: 1, parallel: 1}
	require.ErrorContains(t, run(t.Context(), "localhost:0", "none.onnx", l), "none.onnx")
	require.Error(t, run(t.Context(), "localhost:99999", "", l))
}
