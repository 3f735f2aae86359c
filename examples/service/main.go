// Command service certifies predictions over HTTP.
//
//	go run ./examples/service [-addr localhost:8080] [-net model.onnx]
//	go run ./examples/service -plot answers.svg
//
// A client posts an input and how far each of its values may be off; the answer
// is the class, and whether it is the same wherever the true input lies. The
// handlers are in server.go, picture.go is a client, this file is the process: flags, timeouts, and an
// end in which requests that are worked on are finished.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vouchnn/vouch/examples/unittest"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
)

func main() {
	addr := flag.String("addr", "localhost:8080", "`address` to listen on")
	file := flag.String("net", "", "ONNX `file` (default the network of examples/unittest)")
	l := limits{memory: 256 << 20}
	flag.Int64Var(&l.body, "body", 1<<20, "most `bytes` of a request")
	flag.DurationVar(&l.deadline, "deadline", 10*time.Second, "most time for a request")
	flag.IntVar(&l.parallel, "parallel", 4, "most requests at a `time`")
	picture := flag.String("plot", "", "ask a service of its own about many situations and draw the answers into this `file`, .svg or .png")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := error(nil)
	if *picture != "" {
		err = draw(ctx, *picture, 200)
	} else {
		err = run(ctx, *addr, *file, l)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "service:", err)
		os.Exit(1) //nolint:gocritic // stop has nothing left to do
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, file string, l limits) error {
	if l.body < 1 || l.deadline <= 0 || l.parallel < 1 {
		return errors.New("-body, -deadline and -parallel must be positive")
	}
	model, err := load(file)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	log.Info("listening", "address", listener.Addr().String())
	return serve(ctx, listener, newServer(model, l, log))
}

func load(file string) (nn.Network, error) {
	if file == "" {
		return unittest.Load()
	}
	model, _, err := onnx.ReadFile(file, nil)
	return model, err
}

// serve answers on the listener until ctx ends. Then it takes no new requests,
// and gives those it has until their deadline.
func serve(ctx context.Context, listener net.Listener, s *server) error {
	h := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      s.limits.deadline + 15*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	s.log.Info("finishing", "requests", len(s.slots))
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.deadline+5*time.Second)
	defer cancel()
	return h.Shutdown(patience)
}
