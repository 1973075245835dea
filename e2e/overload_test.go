//go:build e2e && linux

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// More passwords at once than the server lets wait. Not parallel to other stories: it wants the whole machine.
func TestMorePasswordsAtOnceThanCanBeChecked(t *testing.T) {
	const posters = 640 // two are checked at a time and 500 may wait
	w := newWorld(t)
	w.http.Transport.(*http.Transport).MaxIdleConnsPerHost = posters
	visitors := make([]*visitor, posters)
	for i := range visitors {
		visitors[i] = w.visitor(t)
		visitors[i].Open(w.request(seededPortal).URL())
	}
	idle := memory(t, w.provider, "VmRSS")

	// Everybody has another number that nobody owns, so that none gets locked, but one is An. Two of three lose patience
	// after three seconds and go; what they asked for need not be worked on any more.
	stays := func(i int) bool { return i%3 == 0 }
	type outcome struct {
		status int
		retry  string
		text   string
		err    error
		took   time.Duration
	}
	outcomes := make([]outcome, posters)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i, v := range visitors {
		v.Fill("username", fmt.Sprintf("038099%06d", 900000+i))
		if i == 0 {
			v.Fill("username", an.CCCD)
		}
		v.Fill("password", password)
		_, target, form := v.request(v.at.Control("Đăng nhập"))
		all.Go(func() {
			<-start
			began, patience := time.Now(), time.Minute
			if !stays(i) {
				patience = 3 * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			outcomes[i].status, outcomes[i].retry, outcomes[i].text, outcomes[i].err = v.postOnce(ctx, target, form)
			outcomes[i].took = time.Since(began)
		})
	}
	close(start)
	all.Wait()

	answered, overloaded, gone, slowest := 0, 0, 0, time.Duration(0)
	for i, o := range outcomes {
		slowest = max(slowest, o.took)
		switch {
		case !stays(i) && errors.Is(o.err, context.DeadlineExceeded):
			gone++
		case o.err != nil:
			t.Errorf("poster %d got no answer: %v", i, o.err)
		case o.status == http.StatusServiceUnavailable:
			overloaded++
			if o.retry == "" || !strings.Contains(o.text, "Hệ thống đang bận") || !strings.Contains(o.text, banner) {
				t.Errorf("poster %d: 503 with Retry-After %q: %.300s", i, o.retry, o.text)
			}
		case o.status == http.StatusSeeOther && i == 0, o.status/100 == 4 && strings.Contains(o.text, banner):
			answered++
		default:
			t.Errorf("poster %d: %d %.300s", i, o.status, o.text)
		}
	}
	peak := memory(t, w.provider, "VmHWM")
	t.Logf("%d passwords at once: %d answered, %d told to come later, %d gone, the slowest after %v; RSS %d MiB before, %d MiB at most",
		posters, answered, overloaded, gone, slowest.Round(time.Millisecond), idle>>10, peak>>10)
	if overloaded == 0 || answered < posters/5 {
		t.Errorf("%d were answered and %d told to come later, want more of both", answered, overloaded)
	}
	if peak > 160<<10 {
		t.Errorf("the server took %d MiB at most, want 160", peak>>10)
	}

	v := w.visitor(t)
	r := w.request(myPortal)
	v.SignIn(r, binh)
	r.Redeem(t, v.wantCode(r))
	visitors[posters-1].Reload() // whoever was turned away may try again
	visitors[posters-1].PasswordStep(hai.CCCD, password)
	if !visitors[posters-1].at.AsksOTP() {
		t.Errorf("the second try: %s", visitors[posters-1].describe())
	}
}

// postOnce sends a form and follows no redirect.
func (v *visitor) postOnce(ctx context.Context, target *url.URL, form url.Values) (status int, retryAfter, text string, err error) {
	req, err := http.NewRequestWithContext(ctx, "POST", target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Origin", origin(target))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := v.http.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, res.Header.Get("Retry-After"), plain(string(raw)), err
}

// memory reads a line of /proc/PID/status, in KiB.
func memory(t *testing.T, p *process, line string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(line + `:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in %s", line, text)
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}
