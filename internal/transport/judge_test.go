package transport_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/transport"
)

// A judge goes before the statuses, and no more than they frees a POST to be repeated.
func TestAJudgeDecidesBeforeTheStatuses(t *testing.T) {
	told := []string{"Retry-After", "1"}
	for name, tt := range map[string]struct {
		method string
		repeat transport.Repeat
		status int
		header []string
		want   int
	}{
		"by status":                    {"GET", transport.ByStatus, 503, nil, 3},
		"never":                        {"GET", transport.Never, 503, told, 1},
		"worthwhile":                   {"GET", transport.Worthwhile, 200, nil, 3},
		"worthwhile POST":              {"POST", transport.Worthwhile, 200, told, 1},
		"worthwhile POST, 503":         {"POST", transport.Worthwhile, 503, nil, 1},
		"worthwhile POST, 503 told":    {"POST", transport.Worthwhile, 503, told, 3},
		"later":                        {"GET", transport.Later, 200, nil, 3},
		"later POST":                   {"POST", transport.Later, 200, nil, 1},
		"later POST, told":             {"POST", transport.Later, 200, told, 3},
		"later POST, told too much":    {"POST", transport.Later, 200, []string{"Retry-After", "3600"}, 1},
		"by status, told what is fine": {"GET", transport.ByStatus, 200, told, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler, count := always(tt.status, tt.header...)
				policy := transport.Policy{Judge: func(a *transport.Answer) transport.Ruling {
					assert.Equal(t, tt.status, a.Status)
					assert.NotEmpty(t, a.Body)
					return transport.Ruling{Name: "ruled", Repeat: tt.repeat}
				}}
				out := transport.New(nil).Do(t.Context(), to(t, tt.method, here, inMemory(t, handler)), &policy)
				require.NoError(t, out.Err)
				assert.Equal(t, tt.want, count())
				for _, a := range out.Attempts {
					assert.Equal(t, "ruled", a.Ruling)
				}
			})
		})
	}
}

func TestAnAttemptTellsTheClassOfItsAddress(t *testing.T) {
	handler, _ := always(200)
	out := transport.New(nil).Do(t.Context(), to(t, "GET", here, inMemory(t, handler)), &transport.Policy{})
	assert.Equal(t, egress.Invalid, out.Attempts[0].Address, "a pipe has none")
}
