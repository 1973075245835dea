// Package chromium is a person's browser with script, for relying parties that
// do not sign in without: a real Chromium, without a window, spoken to through a
// pipe.
//
// It opens pages and says where they led, what they answered and what stands on
// them once their scripts have come to rest. It goes where the exam lets it:
// each address that the page in its window is to lead to is asked about first.
// It judges nothing and knows nothing of OpenID Connect.
package chromium

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
)

// Browser is a Chromium that runs.
type Browser struct {
	ctx     context.Context
	cancel  context.CancelFunc
	closing sync.Once

	mu   sync.Mutex
	tabs []*Tab
}

// ErrNone is that there is no Chromium here.
var ErrNone = errors.New("no Chromium: install Debian's package chromium, or name the program in CHROMIUM")

// starting is what a cold start may take.
const starting = 30 * time.Second

// Start starts the program, or the one that is found on PATH. Keys are what it
// believes a server's certificate for without an authority, as DER of their
// SubjectPublicKeyInfo: Chromium takes no authority from a command line.
func Start(ctx context.Context, program string, keys [][]byte) (*Browser, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.Flag("disable-component-update", true), // it calls nobody by itself
		chromedp.Flag("accept-lang", "vi,en"),
		// http stays http: test machines have nothing else.
		chromedp.Flag("disable-features", "Translate,BlinkGenPropertyTrees,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,OptimizationHints,MediaRouter,Prerender2"),
	)
	if program != "" {
		options = append(options, chromedp.ExecPath(program))
	}
	var pins []string
	for _, key := range keys {
		sum := sha256.Sum256(key)
		pins = append(pins, base64.StdEncoding.EncodeToString(sum[:]))
	}
	if len(pins) > 0 {
		options = append(options, chromedp.Flag("ignore-certificate-errors-spki-list", strings.Join(pins, ",")))
	}
	running, stop := chromedp.NewExecAllocator(ctx, options...)
	window, _ := chromedp.NewContext(running)
	b := &Browser{ctx: window, cancel: stop}
	slow := time.AfterFunc(starting, stop)
	defer slow.Stop()
	if err := chromedp.Do(window); err != nil {
		stop()
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return nil, ErrNone
		}
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	return b, nil
}

// Alive says whether the program still answers.
func (b *Browser) Alive() bool {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[int]("1"))
	return err == nil
}

// Close ends the program and what it wrote.
func (b *Browser) Close() {
	b.closing.Do(func() {
		_ = chromedp.Cancel(b.ctx) // it is gone either way
		b.cancel()
	})
}

// CloseTabs closes all that are open.
func (b *Browser) CloseTabs() {
	b.mu.Lock()
	tabs := b.tabs
	b.tabs = nil
	b.mu.Unlock()
	for _, t := range tabs {
		t.cancel()
	}
}
