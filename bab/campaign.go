package bab

// Many properties of one network.
//
// A campaign verifies a list of instances, each a property with a name. What
// they have in common is done once: the network is simplified and compiled for
// all, and regions that coincide or nest share the bounds of the network's
// nodes (campaign_share.go). Workers take instances in an order that keeps
// nested regions together; an instance's result depends on neither the order
// nor the number of workers, since all that instances share is a function of
// the list.
//
// Results are reported as they come, and may be kept in a file
// (campaign_file.go). A campaign that ended early, killed or not, is resumed by
// running it again with the same file: what the file holds is not verified
// again, and the file of a completed campaign is, byte for byte, that of one
// which nobody disturbed.
//
// That last claim is about results that are functions of their input. A
// deadline makes them depend on the machine's mood: an instance that ended by
// CampaignOptions.Timeout is recorded as such and stays so, but another run
// might have decided it. Options.MaxDomains is the limit to use where runs have
// to be reproducible.

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Instance is one property of a campaign.
type Instance struct {
	// ID names the instance in results and in the results file: valid UTF-8,
	// not empty, unique in the campaign.
	ID       string
	Property *spec.Property
}

// CampaignOptions of RunCampaign. The zero value works: no time limit, as many
// instances at a time as there are processors, no file.
type CampaignOptions struct {
	// Options of every verification. MaxMemory holds for each that runs.
	// Progress is called from several goroutines if instances run side by side.
	Options Options
	// Timeout is the time for one instance. Default 0: no limit.
	Timeout time.Duration
	// Parallel is how many instances are verified at a time, in [1, 4096]. Each
	// may use all processors. Default 0: GOMAXPROCS.
	Parallel int
	// File is where results are kept, and where a campaign is resumed from if
	// the file exists. Default "": nowhere.
	File string
	// NoSharing bounds every region from scratch.
	NoSharing bool
	// OnStart, if not nil, is called when the verification of an instance
	// starts. It must not block.
	OnStart func(id string)
	// OnResult, if not nil, receives first the results that the file already
	// holds, in list order and marked as Stored, and then every new one as soon
	// as it is in the file. Calls of OnStart and OnResult never overlap.
	OnResult func(InstanceResult)
}

// InstanceResult is the result of one instance.
type InstanceResult struct {
	ID     string
	Result *spec.Result
	// Stored says that the result was read from the file. Its Stats.Elapsed
	// is 0, since files hold no times.
	Stored bool
}

// CampaignReport is what became of a campaign.
type CampaignReport struct {
	// Results of the finished instances, in list order.
	Results []InstanceResult
	// Unfinished lists the others, in list order. They are not in the file.
	Unfinished []string
	// Reason says why there are unfinished ones: ReasonTimeout or
	// ReasonCancelled, as the context ended; otherwise ReasonNone.
	Reason spec.Reason
}

// InstanceError is trouble with one instance of a campaign.
type InstanceError struct {
	ID  string
	Err error
}

// Error names the instance and what is wrong with it.
func (e *InstanceError) Error() string { return fmt.Sprintf("bab: instance %q: %v", e.ID, e.Err) }

// Unwrap is the trouble itself.
func (e *InstanceError) Unwrap() error { return e.Err }

// Validate names the field that is out of range.
func (o *CampaignOptions) Validate() error {
	switch {
	case o.Timeout < 0:
		return fmt.Errorf("bab: CampaignOptions.Timeout = %v is negative", o.Timeout)
	case o.Parallel < 0 || o.Parallel > 4096:
		return fmt.Errorf("bab: CampaignOptions.Parallel = %d is not in [0, 4096]", o.Parallel)
	}
	return o.Options.Validate()
}

// RunCampaign verifies every instance on net.
//
// Guarantee: that of Verify for each result. Results, and the file once all
// instances are finished, are the same however many instances ran at a time,
// in whatever order they ended and however often the campaign was killed and
// resumed, times and timeouts aside.
//
// The end of ctx is not an error: the report lists what is unfinished.
// Errors, before any work: *nn.UnsupportedError, *nn.ShapeError, *InstanceError
// (wrapping *spec.Error for a malformed property), *CampaignFileError, or a
// field of opts out of range. Later: *CampaignFileError when a result cannot be
// written, *InstanceError when a verification fails; both end the campaign, and
// what was finished stays in the file. If only the last step fails, which puts
// the file in order, the report comes with the error.
func RunCampaign(ctx context.Context, net nn.Network, instances []Instance, opts CampaignOptions) (*CampaignReport, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if err := checkInstances(net, instances); err != nil {
		return nil, err
	}
	p, err := prepare(net)
	if err != nil {
		return nil, err
	}
	c := &campaign{opts: opts, prepared: p, instances: instances, results: make([]*InstanceResult, len(instances))}
	if opts.File != "" {
		if c.file, err = openResults(opts.File, newFingerprint(net, instances, &opts), instances); err != nil {
			return nil, err
		}
		defer c.file.close()
		c.replay()
	}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	report := c.report(ctx)
	if c.file != nil && len(report.Unfinished) == 0 {
		err = c.file.complete(report.Results)
	}
	return report, err
}

func checkInstances(net nn.Network, instances []Instance) error {
	seen := make(map[string]int, len(instances))
	for i, in := range instances {
		bad := func(err error) error { return &InstanceError{ID: in.ID, Err: err} }
		if in.ID == "" || !utf8.ValidString(in.ID) {
			return bad(fmt.Errorf("the ID at index %d is empty or not UTF-8", i))
		}
		if j, ok := seen[in.ID]; ok {
			return bad(fmt.Errorf("the ID is used twice, at indices %d and %d", j, i))
		}
		seen[in.ID] = i
		if in.Property == nil {
			return bad(errors.New("there is no property"))
		}
		if err := checkFit(net, in.Property); err != nil {
			return bad(err)
		}
	}
	return nil
}

// campaign is one run of RunCampaign.
type campaign struct {
	opts      CampaignOptions
	prepared  *prepared
	instances []Instance
	share     *sharing     // nil: none
	file      *resultsFile // nil: none

	mu       sync.Mutex // guards what follows, the file, and the callbacks
	results  []*InstanceResult
	todo     []int // indices of instances that nobody has taken
	err      error
	panicked any
	stop     context.CancelFunc
}

// replay takes over the results that the file holds.
func (c *campaign) replay() {
	for i, r := range c.file.stored {
		if r == nil {
			continue
		}
		c.results[i] = &InstanceResult{ID: c.instances[i].ID, Result: r, Stored: true}
		if c.opts.OnResult != nil {
			c.opts.OnResult(*c.results[i])
		}
	}
}

// run verifies what is not finished.
func (c *campaign) run(ctx context.Context) error {
	order := make([]int, len(c.instances))
	for i := range order {
		order[i] = i
	}
	if !c.opts.NoSharing && len(c.instances) > 0 {
		c.share = newSharing(c.prepared.model, c.opts.Options.Bounder, c.instances)
		order = c.share.order
	}
	for _, i := range order {
		if c.results[i] == nil {
			c.todo = append(c.todo, i)
		}
	}
	workers := c.opts.Parallel
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, c.stop = context.WithCancel(ctx)
	defer c.stop()
	var wait sync.WaitGroup
	for range min(workers, len(c.todo)) {
		wait.Go(func() { c.work(ctx) })
	}
	wait.Wait()
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.err
}

// work verifies instances until none is left or the context ends. A panic ends
// the campaign and goes on in the caller's goroutine.
func (c *campaign) work(ctx context.Context) {
	defer func() {
		if v := recover(); v != nil {
			c.stop()
			c.mu.Lock()
			defer c.mu.Unlock()
			c.panicked = v
		}
	}()
	for i, ok := c.take(ctx); ok; i, ok = c.take(ctx) {
		res, err := c.verify(ctx, i)
		if err == nil && res.Verdict == spec.Unknown && ctx.Err() != nil {
			return // cut short, not finished
		}
		c.finish(i, res, err)
	}
}

// take is the next instance to verify.
func (c *campaign) take(ctx context.Context) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.todo) == 0 || ctx.Err() != nil {
		return 0, false
	}
	i := c.todo[0]
	c.todo = c.todo[1:]
	if c.opts.OnStart != nil {
		c.opts.OnStart(c.instances[i].ID)
	}
	return i, true
}

func (c *campaign) verify(ctx context.Context, i int) (*spec.Result, error) {
	if c.opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.opts.Timeout)
		defer cancel()
	}
	var shared sharedBounds
	if c.share != nil {
		shared = func(ctx context.Context, k int) ([]bounds.Interval, int, error) { return c.share.bounds(ctx, i, k) }
	}
	return c.prepared.verify(ctx, c.instances[i].Property, c.opts.Options, time.Now(), shared)
}

// finish records a result and hands it on.
func (c *campaign) finish(i int, res *spec.Result, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return // the file is in doubt
	}
	switch {
	case err != nil:
		c.err = &InstanceError{ID: c.instances[i].ID, Err: err}
	case c.file != nil:
		c.err = c.file.append(i, c.instances[i].ID, res)
	}
	if c.err != nil {
		c.stop()
		return
	}
	c.results[i] = &InstanceResult{ID: c.instances[i].ID, Result: res}
	if c.opts.OnResult != nil {
		c.opts.OnResult(*c.results[i])
	}
}

func (c *campaign) report(ctx context.Context) *CampaignReport {
	r := &CampaignReport{Results: make([]InstanceResult, 0, len(c.results))}
	for i, result := range c.results {
		if result == nil {
			r.Unfinished = append(r.Unfinished, c.instances[i].ID)
			continue
		}
		r.Results = append(r.Results, *result)
	}
	if len(r.Unfinished) > 0 {
		r.Reason = spec.ReasonCancelled
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			r.Reason = spec.ReasonTimeout
		}
	}
	return r
}
