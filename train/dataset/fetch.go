package dataset

// Downloads, for people with a network. Each file is checked against the
// checksum known for it before it gets its name, so that what is there is whole
// and the one that everybody has.

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/md5" // #nosec G501 -- the checksum that CIFAR-10's home publishes
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// home is where the files of a set are published.
type home struct {
	url   string
	files []published
}

// published is a file with its checksum: SHA-256 of the content, uncompressed,
// or MD5 of the file itself after "md5:".
type published struct{ name, sum string }

// The checksums of MNIST and Fashion-MNIST were computed from the sets; that of
// CIFAR-10 is the one on its home page.
var homes = map[string]home{
	"mnist": {"https://ossci-datasets.s3.amazonaws.com/mnist/", []published{
		{"train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
		{"train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
		{"t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
		{"t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
	}},
	"fashion-mnist": {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/", []published{
		{"train-images-idx3-ubyte.gz", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
		{"train-labels-idx1-ubyte.gz", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
		{"t10k-images-idx3-ubyte.gz", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
		{"t10k-labels-idx1-ubyte.gz", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"},
	}},
	"cifar-10": {"https://www.cs.toronto.edu/~kriz/", []published{
		{"cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530"},
	}},
}

// maxDownload bounds a file, in bytes. CIFAR-10's has 170 MB.
const maxDownload = 1 << 28

// FetchOptions of Fetch. The zero value, and nil, take the files from their
// homes.
type FetchOptions struct {
	// URL is another place for the same files, up to their names.
	URL string
	// Client makes the requests. Default nil: http.DefaultClient.
	Client *http.Client
	// Progress is told each file as it is begun.
	Progress func(file string)
}

// DownloadError is a file that could not be had, or is not the right one.
type DownloadError struct {
	URL    string
	Detail string
	Err    error
}

// Error implements error.
func (e *DownloadError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("dataset: %s: %s: %v", e.URL, e.Detail, e.Err)
	}
	return fmt.Sprintf("dataset: %s: %s", e.URL, e.Detail)
}

// Unwrap is the cause, if any.
func (e *DownloadError) Unwrap() error { return e.Err }

// Fetch downloads a data set to the folder of its name in dir, where Open finds
// it. Files that are there already are not fetched again. MedNIST is published
// as pictures, not as the files that Open reads: *UnknownError.
// Errors: *UnknownError, *DownloadError, those of the file system.
func Fetch(ctx context.Context, name, dir string, opts *FetchOptions) error {
	h, ok := homes[name]
	if !ok {
		return &UnknownError{name}
	}
	if opts == nil {
		opts = &FetchOptions{}
	}
	if opts.URL != "" {
		h.url = strings.TrimSuffix(opts.URL, "/") + "/"
	}
	to := filepath.Join(dir, name)
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, p := range h.files {
		if err := fetchFile(ctx, h.url+p.name, p.sum, filepath.Join(to, p.name), opts); err != nil {
			return err
		}
		if strings.HasSuffix(p.name, ".tar.gz") {
			if err := unpack(filepath.Join(to, p.name), to); err != nil {
				return err
			}
		}
	}
	return nil
}

// fetchFile downloads one file, unless a good one is there.
func fetchFile(ctx context.Context, url, sum, to string, opts *FetchOptions) (err error) {
	if checkFile(to, sum) == nil {
		return nil
	}
	if opts.Progress != nil {
		opts.Progress(path.Base(url))
	}
	fail := func(detail string, err error) error { return &DownloadError{URL: url, Detail: detail, Err: err} }
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fail("bad address", err)
	}
	client := opts.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return fail("no answer", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fail("answered "+res.Status, nil)
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".download-*")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	n, err := io.Copy(f, io.LimitReader(res.Body, maxDownload+1))
	if err != nil {
		return fail("broke off", err)
	}
	if n > maxDownload {
		return fail("is larger than any file of a data set", nil)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := checkFile(f.Name(), sum); err != nil {
		return fail(err.Error(), nil)
	}
	return os.Rename(f.Name(), to)
}

// checkFile compares a file's checksum.
func checkFile(name, sum string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h, r := sha256.New(), io.Reader(f)
	want, isMD5 := strings.CutPrefix(sum, "md5:")
	if isMD5 {
		h = md5.New() // #nosec G401
	} else if r, err = gzip.NewReader(f); err != nil {
		return fmt.Errorf("is not gzip: %w", err)
	}
	if n, err := io.Copy(h, io.LimitReader(r, maxDownload+1)); err != nil {
		return err
	} else if n > maxDownload {
		return errors.New("is larger than any file of a data set")
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("checksum is %s, want %s", got, want)
	}
	return nil
}

// unpack writes the .bin files of an archive to dir, under their last names.
func unpack(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	bad := func(err error) error { return &FormatError{File: archive, Detail: "cannot be unpacked", Err: err} }
	z, err := gzip.NewReader(f)
	if err != nil {
		return bad(err)
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return bad(err)
		}
		base := path.Base(h.Name)
		if h.Typeflag != tar.TypeReg || !strings.HasSuffix(base, ".bin") {
			continue
		}
		if h.Size > maxDownload {
			return bad(fmt.Errorf("%s has %d bytes", base, h.Size))
		}
		out, err := os.Create(filepath.Join(dir, base))
		if err != nil {
			return err
		}
		_, err = io.CopyN(out, t, h.Size)
		if err := errors.Join(err, out.Close()); err != nil {
			return bad(err)
		}
	}
}
