package storage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// burstEnv makes the test binary the program that TestMain describes.
const burstEnv = "STORAGE_TEST_BURST"

// TestMain is either the tests, or the writer that a test kills: it commits
// from four goroutines without end and prints each commit that Update
// acknowledged.
func TestMain(m *testing.M) {
	url := os.Getenv(burstEnv)
	if url == "" {
		os.Exit(m.Run())
	}
	s, err := Open(context.Background(), url, Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var writers sync.WaitGroup
	for g := range 4 {
		writers.Go(func() {
			for i := range 100_000 { // the test kills us long before
				if err := commitPair(s, fmt.Sprintf("%d-%d", g, i)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Printf("%d-%d\n", g, i) // one write: lines stay whole
			}
		})
	}
	writers.Wait()
}

// commitPair commits rows that belong together.
func commitPair(s *Store, id string) error {
	return s.Update(context.Background(), "w", func(tx vneid.Tx) error {
		return errors.Join(
			tx.InsertLogin(&vneid.Login{ID: id, Issuer: strings.Repeat("x", 500)}),
			tx.InsertTokens(&vneid.Token{Hash: id, GrantID: id}),
			tx.PutAccount(&vneid.Account{Persona: vneid.Persona{CCCD: vneid.CCCD(id), Name: "Nguyễn Văn An"}}))
	})
}

func TestAKilledProcessLosesNothingAcknowledged(t *testing.T) {
	for round := range 3 {
		url := "sqlite:" + filepath.Join(t.TempDir(), "x.db")
		acknowledged := map[string]bool{}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), burstEnv+"="+url)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			acknowledged[lines.Text()] = true
			if len(acknowledged) == 150+100*round {
				cmd.Process.Kill() // SIGKILL; what it printed before is still read
			}
		}
		cmd.Wait()
		checkAfterCrash(t, url, acknowledged)
	}
}

func checkAfterCrash(t *testing.T, url string, acknowledged map[string]bool) {
	t.Helper()
	if len(acknowledged) < 150 {
		t.Fatalf("only %d commits were acknowledged", len(acknowledged))
	}
	s := open(t, url)
	checkIntegrity(t, s)
	for id := range acknowledged {
		err := s.View(context.Background(), "w", func(tx vneid.Tx) error {
			_, err1 := tx.Login(id)
			_, err2 := tx.Token(id)
			_, err3 := tx.Account(vneid.CCCD(id))
			return errors.Join(err1, err2, err3)
		})
		if err != nil {
			t.Errorf("%s was acknowledged: %v", id, err)
		}
	}
	var logins, tokens, accounts, terms int
	err := sqliteOf(s).readers.QueryRow(`SELECT (SELECT count(*) FROM logins), (SELECT count(*) FROM tokens),
		(SELECT count(*) FROM accounts), (SELECT count(*) FROM account_terms)`).Scan(&logins, &tokens, &accounts, &terms)
	// Each of the four writers may have been between its commit and its line.
	if err != nil || logins < len(acknowledged) || logins > len(acknowledged)+4 || tokens != logins || accounts != logins || terms != 4*logins {
		t.Errorf("%d acknowledged; stored %d logins, %d tokens, %d accounts, %d terms, %v", len(acknowledged), logins, tokens, accounts, terms, err)
	}
	if err := commitPair(s, "after"); err != nil {
		t.Errorf("writing after the crash: %v", err)
	}
}

func checkIntegrity(t *testing.T, s *Store) {
	t.Helper()
	var answer string
	if err := sqliteOf(s).readers.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("integrity_check: %s, %v", answer, err)
	}
}

func TestABurstLeavesTheDatabaseWhole(t *testing.T) {
	s := open(t, "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
	var writers sync.WaitGroup
	for g := range 8 {
		writers.Go(func() {
			for i := range 60 {
				if err := commitPair(s, fmt.Sprintf("%d-%d", g, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	checkIntegrity(t, s)
}
