package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "version", Args: cobra.NoArgs,
		Short: "Print what this program was built from", Example: "vouch version",
		Long: "Print the version of vouch, the commit it was built from if that is known, the\nGo release and the platform.",
		RunE: a.action(func(context.Context) error { return a.write([]byte(versionLine() + "\n")) }),
	}
}

// versionLine is the program's version in one line.
func versionLine() string {
	version, commit := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		dirty := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = " " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+changes"
			}
		}
		if commit != "" {
			commit += dirty
		}
	}
	return fmt.Sprintf("vouch %s%s %s %s/%s", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
