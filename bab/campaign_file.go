package bab

// The results file of a campaign.
//
// One line of JSON each: first a header that says which campaign the file
// belongs to, then a record for every finished instance. A record is appended
// in one write as soon as its instance is finished, and is on the disk before
// anybody hears of the result. Every line ends with a checksum of itself.
//
//	{"format":"vouch campaign","version":1,"instances":2,"network":"5f…","options":"03…","properties":"c1…","crc":"8d06…"}
//	{"id":"a","verdict":"verified","lower_bound":0.25,"stats":{"domains":1},"crc":"77e1…"}
//	{"id":"b","verdict":"falsified","lower_bound":"-Inf","counterexample":{…},"stats":{"attacks":9},"crc":"0b1c…"}
//
// What a kill leaves is a sequence of whole lines and perhaps a torn one, which
// is a last line without its newline; it is cut off. Anything else that is
// wrong was not done by a kill and is an error that names the line: a results
// file makes claims. When the last instance is finished, the file is replaced,
// in one step, by one with the records in list order. Records hold no times, so
// the completed file is a function of the campaign. (On another kind of processor
// bounds may differ in their last digits, as kernels round differently.)
//
// While a campaign runs it holds a lock, a file with ".lock" added to the name,
// which ends with the process. Systems without such locks have none; see
// campaign_lock_other.go.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/vouchnn/vouch/spec"
)

// What can be wrong with a results file; *CampaignFileError wraps them.
var (
	// ErrCampaignLocked says that another campaign is using the file.
	ErrCampaignLocked = errors.New("in use by another campaign")
	// ErrCampaignMismatch says that the file belongs to another network, other
	// options or other properties.
	ErrCampaignMismatch = errors.New("belongs to another campaign")
	// ErrCampaignCorrupt says that a line is not what a campaign writes.
	ErrCampaignCorrupt = errors.New("corrupt")
)

// CampaignFileError is trouble with a results file.
type CampaignFileError struct {
	File   string
	Line   int // from 1; 0 if no line is to blame
	Detail string
	Err    error // one of the errors above, or the file system's
}

// Error names file and line.
func (e *CampaignFileError) Error() string {
	s := "bab: " + e.File
	if e.Line > 0 {
		s += ":" + strconv.Itoa(e.Line)
	}
	s += ": " + e.Err.Error()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap is what kind of trouble it is.
func (e *CampaignFileError) Unwrap() error { return e.Err }

// handle is what a results file needs of an open file.
type handle interface {
	io.Writer
	Sync() error
	Truncate(size int64) error
	Close() error
}

// resultsFile is the results file of a running campaign. Not safe for
// concurrent use.
type resultsFile struct {
	path    string
	header  []byte
	file    handle
	size    int64
	last    int // index of the last instance in the file
	ordered bool
	stored  []*spec.Result // what the file held when it was opened, by instance
	unlock  func()
}

// openResults locks the file, reads what it holds and cuts off a torn line.
// Errors: *CampaignFileError.
func openResults(path string, f fingerprint, instances []Instance) (*resultsFile, error) {
	w := &resultsFile{path: path, last: -1, ordered: true, stored: make([]*spec.Result, len(instances))}
	var err error
	if w.header, err = encodeLine(header{campaignFormat, campaignVersion, len(instances), f}); err != nil {
		return nil, w.failed(0, "", err)
	}
	if w.unlock, err = lockFile(path + ".lock"); err != nil {
		return nil, w.failed(0, "", err)
	}
	if err := w.open(instances); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *resultsFile) failed(line int, detail string, err error) error {
	return &CampaignFileError{File: w.path, Line: line, Detail: detail, Err: err}
}

func (w *resultsFile) open(instances []Instance) error {
	data, err := os.ReadFile(w.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return w.failed(0, "", err)
	}
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	if len(whole) == 0 {
		if !bytes.HasPrefix(w.header, data) {
			return w.failed(1, "not the results of a campaign", ErrCampaignCorrupt)
		}
	} else if err := w.read(whole, instances); err != nil {
		return err
	}
	f, err := os.OpenFile(w.path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return w.failed(0, "", err)
	}
	w.file, w.size = f, int64(len(whole))
	if len(whole) < len(data) {
		err = f.Truncate(w.size)
	}
	if _, at := f.Seek(w.size, io.SeekStart); err != nil || at != nil {
		return w.failed(0, "", errors.Join(err, at))
	}
	if len(whole) == 0 {
		if err := w.write(w.header); err != nil {
			return err
		}
		syncFolder(filepath.Dir(w.path))
	}
	return nil
}

// read takes over whole lines.
func (w *resultsFile) read(data []byte, instances []Instance) error {
	index := make(map[string]int, len(instances))
	for i, in := range instances {
		index[in.ID] = i
	}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if line == 1 {
			if err := w.checkHeader(text); err != nil {
				return err
			}
			continue
		}
		var r record
		if err := decodeLine(text[:len(text)-1], &r); err != nil {
			return w.failed(line, err.Error(), ErrCampaignCorrupt)
		}
		i, ok := index[r.ID]
		if !ok || w.stored[i] != nil {
			return w.failed(line, fmt.Sprintf("the ID %q is unknown or occurs twice", r.ID), ErrCampaignCorrupt)
		}
		res, err := r.result(instances[i].Property)
		if err != nil {
			return w.failed(line, err.Error(), ErrCampaignCorrupt)
		}
		w.stored[i] = res
		w.advance(i)
	}
	return nil
}

func (w *resultsFile) checkHeader(text []byte) error {
	if bytes.Equal(text, w.header) {
		return nil
	}
	var got, want header
	if err := json.Unmarshal(text, &got); err != nil || got.Format != campaignFormat {
		return w.failed(1, "not the header of a campaign", ErrCampaignCorrupt)
	}
	if err := json.Unmarshal(w.header, &want); err != nil {
		return w.failed(1, "", err)
	}
	detail := "the properties differ"
	switch {
	case got == want:
		return w.failed(1, "the checksum is wrong", ErrCampaignCorrupt)
	case got.Version != want.Version:
		detail = fmt.Sprintf("the format has version %d, want %d", got.Version, want.Version)
	case got.Network != want.Network:
		detail = "the network differs"
	case got.Options != want.Options:
		detail = "the options differ"
	}
	return w.failed(1, detail, ErrCampaignMismatch)
}

// advance notes that instance i's record comes next in the file.
func (w *resultsFile) advance(i int) {
	w.ordered = w.ordered && i > w.last
	w.last = i
}

// append adds the record of instance i. After an error the file ends, if
// that can still be done, with the last record that was whole.
// Errors: *CampaignFileError.
func (w *resultsFile) append(i int, id string, r *spec.Result) error {
	line, err := encodeLine(newRecord(id, r))
	if err != nil {
		return w.failed(0, "", err)
	}
	if err := w.write(line); err != nil {
		return err
	}
	w.advance(i)
	return nil
}

func (w *resultsFile) write(line []byte) error {
	_, err := w.file.Write(line)
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		return w.failed(0, "", errors.Join(err, w.file.Truncate(w.size)))
	}
	w.size += int64(len(line))
	return nil
}

// complete puts the records in list order, in one step.
// Errors: *CampaignFileError.
func (w *resultsFile) complete(results []InstanceResult) error {
	if w.ordered {
		return nil
	}
	var b bytes.Buffer
	b.Write(w.header)
	for _, r := range results {
		line, err := encodeLine(newRecord(r.ID, r.Result))
		if err != nil {
			return w.failed(0, "", err)
		}
		b.Write(line)
	}
	if err := w.replace(b.Bytes()); err != nil {
		return w.failed(0, "", err)
	}
	return nil
}

// replace puts a new file in the place of the old one, with its permissions.
func (w *resultsFile) replace(data []byte) error {
	info, err := os.Stat(w.path)
	if err != nil {
		return err
	}
	next := w.path + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = w.file.Close() // Windows does not replace open files
		w.file = nil
	}
	if err == nil {
		err = os.Rename(next, w.path)
	}
	if err != nil {
		os.Remove(next)
		return err
	}
	syncFolder(filepath.Dir(w.path))
	return nil
}

// close ends the use of the file. Everything in it is on the disk already.
func (w *resultsFile) close() {
	if w.file != nil {
		_ = w.file.Close() // the first error is the one to report
	}
	w.unlock()
}
