package spec

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVerdictText(t *testing.T) {
	type row struct {
		Verdict Verdict
		Reason  Reason
	}
	for v := Unknown; v <= Falsified; v++ {
		for r := ReasonNone; r <= ReasonNumerical; r++ {
			text, err := json.Marshal(row{v, r})
			require.NoError(t, err)
			var back row
			require.NoError(t, json.Unmarshal(text, &back), string(text))
			assert.Equal(t, row{v, r}, back)
		}
	}
	text, err := json.Marshal(row{Falsified, ReasonTimeout})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Verdict":"falsified","Reason":"timeout"}`, string(text))
	var v Verdict
	var e *Error
	assert.ErrorAs(t, v.UnmarshalText([]byte("sat")), &e)
	var r Reason
	assert.ErrorAs(t, r.UnmarshalText([]byte("bored")), &e)
	_, err = Verdict(9).MarshalText()
	assert.ErrorAs(t, err, &e)
	_, err = Reason(-1).MarshalText()
	assert.ErrorAs(t, err, &e)
	assert.Equal(t, "unknown", Verdict(9).String())
}
