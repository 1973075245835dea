package api

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/headless"
)

func TestEveryEndOfADrivenLoginHasItsStatus(t *testing.T) {
	for want, err := range map[int]error{
		429: headless.ErrBusy,
		422: &headless.Stopped{Step: "otp", Code: "sms_never", Why: "lost"},
		504: &headless.Stopped{Step: "otp", Code: "timeout", Why: "too long"},
		503: context.Canceled,
		400: headless.ErrNobody,
	} {
		w := httptest.NewRecorder()
		var p *Problem
		if got := signInProblem(w, httptest.NewRequest("POST", "/", nil), err); !errors.As(got, &p) || p.Status != want || p.Detail == "" {
			t.Errorf("%v: %v", err, got)
		}
		if want == 429 && w.Header().Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
}
