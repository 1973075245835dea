//go:build browser

package e2e_test

import "testing"

func TestBrowserFindsNoBarrier(t *testing.T) { runInNode(t, "axe-walk.test.mjs") }
