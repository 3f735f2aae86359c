package main

// The picture: what a client is told about many situations, by how far the inputs may be
// off and by how long it waits. All of it is asked over HTTP.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/vouchnn/vouch/examples/unittest"
	"github.com/vouchnn/vouch/internal/figure"
)

// extent is the greatest distance, speed and wetness.
var extent = [3]float64{100, 40, 1}

// survey is a service, and situations to ask it about.
type survey struct {
	url        string
	situations [][]float64
}

// shares are the answers to a question, as parts of all.
type shares struct{ verified, unknown, falsified float64 }

// draw starts a service for the network of examples/unittest, asks it, and draws the
// answers into a file.
func draw(ctx context.Context, file string, count int) error {
	model, err := unittest.Load()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	l := limits{body: 1 << 20, deadline: 10 * time.Second, memory: 256 << 20, parallel: 1}
	go func() { served <- serve(ctx, listener, newServer(model, l, slog.New(slog.DiscardHandler))) }()
	s := &survey{url: "http://" + listener.Addr().String()}
	rng := rand.New(rand.NewPCG(1, 1))
	for range count {
		x := make([]float64, len(extent))
		for i, e := range extent {
			x[i] = e * rng.Float64()
		}
		s.situations = append(s.situations, x)
	}
	picture, err := s.draw(ctx, file)
	stop()
	if err := <-served; err != nil {
		return err
	}
	if err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}

func (s *survey) draw(ctx context.Context, file string) ([]byte, error) {
	var radii, waits []float64
	for r := 0.0; r <= 20; r++ {
		radii = append(radii, r)
	}
	for e := -2.0; e <= 1; e += 0.25 {
		waits = append(waits, math.Pow(10, e))
	}
	byRadius, byWait := figure.New(), figure.New()
	byRadius.Title.Text, byRadius.X.Label.Text = "as long as it takes", "radius, % of each input's range"
	byWait.Title.Text, byWait.X.Label.Text = "radius 5 %", "deadline, ms"
	figure.Logarithmic(&byWait.X)
	byRadius.Y.Label.Text = "situations, %"
	err := s.bands(byRadius, radii, func(r float64) (shares, error) { return s.ask(ctx, r/100, 0) })
	if err == nil {
		err = s.bands(byWait, waits, func(ms float64) (shares, error) { return s.ask(ctx, 0.05, ms/1000) })
	}
	if err != nil {
		return nil, err
	}
	key := figure.Legend()
	key.Legend = byRadius.Legend
	key.Legend.Padding = vg.Points(2)
	byRadius.Legend, byWait.Legend = plot.NewLegend(), plot.NewLegend()
	return figure.Render(file, 24*vg.Centimeter, 8*vg.Centimeter, []*plot.Plot{byRadius, byWait, key})
}

// ask posts every situation with a radius, a part of each input's range, and a deadline.
func (s *survey) ask(ctx context.Context, radius, seconds float64) (all shares, err error) {
	one := 1 / float64(len(s.situations))
	for _, x := range s.situations {
		q := request{Input: x, Seconds: seconds}
		for _, e := range extent {
			q.Radius = append(q.Radius, radius*e)
		}
		answer, err := s.post(ctx, &q)
		if err != nil {
			return all, err
		}
		switch answer.Verdict {
		case "verified":
			all.verified += one
		case "falsified":
			all.falsified += one
		default:
			all.unknown += one
		}
	}
	return all, nil
}

// post sends a request as any client does.
func (s *survey) post(ctx context.Context, q *request) (*response, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/certify", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		return nil, err
	}
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", reply.Status, data)
	}
	answer := &response{}
	return answer, json.Unmarshal(data, answer)
}

// bands draws the shares at each x, one on top of the other.
func (s *survey) bands(p *plot.Plot, xs []float64, at func(float64) (shares, error)) error {
	edges := make([]plotter.XYs, 4) // between the bands, from below
	for _, x := range xs {
		a, err := at(x)
		if err != nil {
			return err
		}
		y := 0.0
		for k, part := range []float64{0, a.verified, a.unknown, a.falsified} {
			y += 100 * part
			edges[k] = append(edges[k], plotter.XY{X: x, Y: y})
		}
	}
	names, colors := []string{"verified", "unknown", "falsified"}, []int{0, 6, 1}
	for k := len(names) - 1; k >= 0; k-- {
		ring := append(plotter.XYs{}, edges[k]...)
		for i := len(edges[k+1]) - 1; i >= 0; i-- {
			ring = append(ring, edges[k+1][i])
		}
		band, err := plotter.NewPolygon(ring)
		if err != nil {
			return err
		}
		band.Color, band.LineStyle.Width = figure.Color(colors[k]), 0
		p.Add(band)
		p.Legend.Add(names[k], band)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = xs[0], xs[len(xs)-1], 0, 100
	p.Legend.Top, p.Legend.Left = true, true
	return nil
}
