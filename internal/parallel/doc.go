// Package parallel splits a loop over the processors of one machine.
//
// It answers one question: how to run the body of a loop on several goroutines
// without the result depending on how many there are. The body receives a half
// open range and may write only what belongs to that range; then one worker and
// sixty-four workers leave the same bits behind.
package parallel
