package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(a *app) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "version", Args: noArguments,
		Short: "Print what this program was built from", Example: "vouch version",
		Long: "Print the version of vouch, the commit it was built from if that is known, the\nGo release and the platform.",
		RunE: a.action(func(context.Context) error {
			v := currentBuild()
			if asJSON {
				return a.writeJSON(v)
			}
			return a.write([]byte(v.String() + "\n"))
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object instead")
	return cmd
}

// build says what the program was built from.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"` // with "+changes" if files differed from it
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// String is the build in one line.
func (b build) String() string {
	commit := ""
	if b.Commit != "" {
		commit = " " + b.Commit
	}
	return fmt.Sprintf("vouch %s%s %s %s", b.Version, commit, b.Go, b.Platform)
}

func currentBuild() build {
	version, commit := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		dirty := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+changes"
			}
		}
		if commit != "" {
			commit += dirty
		}
	}
	return build{version, commit, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
}
