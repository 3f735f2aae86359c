// Package eval measures how robust and how easy to verify a trained network
// is: the metrics of the NBC paper. It is apart from package train because it
// proves, and so needs package bab.
//
//	Images ──► for each radius and image: attack, bounds, bab.Verify ──► Row
//	Summarise(rows) ──► Summary: UNSAT%, Stable%, Time, Time U+T, PGD
//	Lines, Gains, Scores ──► the paper's Table 1, Table 2, Figure 2
//
// A property says that the image's label has the greatest output over the L∞
// ball, clipped to [0, 1]. A misclassified image counts as falsified.
//
//	source                                              file         test
//	Liu et al. 2025, arXiv:2412.13229, "Metrics"        measure.go   eval_test.go
//	the same, Tables 1 and 2, Figure 2                  table.go     eval_test.go
package eval
