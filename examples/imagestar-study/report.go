package main

import "io"

func (st *study) report(w io.Writer, format string) error { return nil }
