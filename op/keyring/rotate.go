package keyring

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Stages of a rotation.
const (
	StagePublish = "publish" // a next key appears in the JWKS
	StageUse     = "use"     // it becomes the active one, which becomes a former one
	StageRetire  = "retire"  // the former ones leave the JWKS
)

// maxListed bounds the keys of one algorithm in the JWKS.
const maxListed = 10

// Rotate takes a rotation one stage on, at once: it waits for other processes
// (twice the pace), but not until clients have read the JWKS again. A stage
// that is not possible now is an error of CodeConflict whose hint says what to
// do instead.
func (r *Ring) Rotate(ctx context.Context, alg, stage string) error {
	if !slices.Contains(vneid.SigningAlgs(), alg) {
		return vneid.Errorf(vneid.CodeInvalid, "key_rotation", "no such algorithm %.20q", alg)
	}
	var kids []string
	var err error
	switch stage {
	case StagePublish:
		kids, err = r.publish(ctx, alg, func([]vneid.SigningKey) bool { return true })
	case StageUse:
		kids, err = r.use(ctx, alg)
	case StageRetire:
		kids, err = r.retire(ctx, alg)
	default:
		return vneid.Errorf(vneid.CodeInvalid, "key_rotation", "no such stage %.20q", stage)
	}
	if err == nil {
		r.log(ctx, alg, stage, kids)
	}
	return err
}

func (r *Ring) log(ctx context.Context, alg, stage string, kids []string) {
	r.Logger.InfoContext(ctx, "signing key rotated", "world", vneid.WorldFrom(ctx).ID, "alg", alg, "stage", stage, "kids", kids)
}

func conflict(hint string, args ...any) error {
	return vneid.Errorf(vneid.CodeConflict, "key_rotation", hint, args...)
}

// publish adds a next key, if what is stored still wants it.
func (r *Ring) publish(ctx context.Context, alg string, wanted func(rows []vneid.SigningKey) bool) ([]string, error) {
	world := vneid.WorldFrom(ctx)
	possible := func(rows []vneid.SigningKey) error {
		if err := r.sealer.readable(world.ID, rows); err != nil {
			return err
		}
		if index(rows, alg, vneid.KeyNext) >= 0 {
			return conflict(`a next key for %s is published already: go on with {"stage": "use"}`, alg)
		}
		if n := count(rows, alg); n >= maxListed {
			return conflict(`%d keys for %s are listed: go on with {"stage": "retire"}`, n, alg)
		}
		return nil
	}
	rows, err := r.rows(ctx)
	if err != nil {
		return nil, err
	}
	if err := possible(rows); err != nil {
		return nil, err // before 50 ms of work
	}
	private, err := r.pool.take(ctx, alg)
	if err != nil {
		return nil, err
	}
	made, err := r.newRow(world, alg, vneid.KeyNext, private)
	if err != nil {
		return nil, err
	}
	return r.change(ctx, func(_ vneid.Tx, rows []vneid.SigningKey) ([]vneid.SigningKey, error) {
		if !wanted(rows) {
			return nil, nil
		}
		return []vneid.SigningKey{made}, possible(rows)
	})
}

// newRow is a new key at rest.
func (r *Ring) newRow(world *vneid.World, alg string, state vneid.KeyState, private crypto.Signer) (vneid.SigningKey, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return vneid.SigningKey{}, fmt.Errorf("encode a new %s key: %w", alg, err)
	}
	row := vneid.SigningKey{KID: vneid.NewID(r.Rand), Alg: alg, State: state, CreatedAt: world.Clock.Now()}
	r.sealer.seal(world.ID, &row, der, row.CreatedAt)
	return row, nil
}

func (r *Ring) use(ctx context.Context, alg string) ([]string, error) {
	// A token by the new key may be verified with the JWKS of another process.
	kids, err := r.await(ctx, alg, vneid.KeyNext)
	if err != nil {
		return nil, err
	}
	if len(kids) == 0 {
		return nil, conflict(`there is no next key for %s: begin with {"stage": "publish"}`, alg)
	}
	return r.change(ctx, func(_ vneid.Tx, rows []vneid.SigningKey) ([]vneid.SigningKey, error) {
		if i := index(rows, alg, vneid.KeyNext); i < 0 || rows[i].KID != kids[0] {
			return nil, conflict("somebody else rotated %s just now: look at the list of keys", alg)
		}
		return promoted(rows, alg, vneid.WorldFrom(ctx).Clock.Now())
	})
}

// promoted are the rows that change when the next key becomes the active one.
func promoted(rows []vneid.SigningKey, alg string, now time.Time) (changed []vneid.SigningKey, err error) {
	for from, to := range map[vneid.KeyState]vneid.KeyState{vneid.KeyActive: vneid.KeyFormer, vneid.KeyNext: vneid.KeyActive} {
		i := index(rows, alg, from)
		if i < 0 {
			return nil, fmt.Errorf("no %s key for %s", from, alg)
		}
		row, err := moved(rows[i], to, now)
		if err != nil {
			return nil, err
		}
		changed = append(changed, row)
	}
	return changed, nil
}

func (r *Ring) retire(ctx context.Context, alg string) ([]string, error) {
	// Another process may sign with a former key until it knows of the new one.
	kids, err := r.await(ctx, alg, vneid.KeyFormer)
	if err != nil {
		return nil, err
	}
	if len(kids) == 0 {
		return nil, conflict(`there is no former key for %s: a rotation is {"stage": "publish"}, then "use", then "retire"`, alg)
	}
	return r.change(ctx, func(_ vneid.Tx, rows []vneid.SigningKey) ([]vneid.SigningKey, error) {
		return r.retired(ctx, rows, kids)
	})
}

// retired are the rows that change when those former keys retire. Their
// private parts are destroyed: nothing will ever need them.
func (r *Ring) retired(ctx context.Context, rows []vneid.SigningKey, kids []string) (changed []vneid.SigningKey, err error) {
	world, now := vneid.WorldFrom(ctx), vneid.WorldFrom(ctx).Clock.Now()
	for _, row := range rows {
		if row.State != vneid.KeyFormer || !slices.Contains(kids, row.KID) {
			continue
		}
		k, err := r.key(world, r.ringOf(world.ID).current.Load(), row, now)
		if err != nil {
			return nil, rowError(world.ID, &row, err)
		}
		if row, err = destroyed(row, k.public.Key, now); err != nil {
			return nil, err
		}
		changed = append(changed, row)
	}
	if len(changed) == 0 {
		return nil, conflict("somebody else retired these keys just now: look at the list of keys")
	}
	return changed, nil
}

// await reads the keys anew, and returns those of an algorithm in a state when
// every process must know of them.
func (r *Ring) await(ctx context.Context, alg string, state vneid.KeyState) (kids []string, err error) {
	w := r.ringOf(vneid.WorldFrom(ctx).ID)
	if err := w.take(ctx); err != nil {
		return nil, err
	}
	s, err := r.load(ctx, w)
	w.give()
	if err != nil {
		return nil, err
	}
	for _, k := range s.inState(alg, state) {
		kids = append(kids, k.KID)
		if err := r.sleepUntil(ctx, k.seen.Add(r.settled())); err != nil {
			return nil, err
		}
	}
	return kids, nil
}

func (r *Ring) sleepUntil(ctx context.Context, at time.Time) error {
	left := at.Sub(r.real.Now())
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// change writes the rows that decide makes of the stored ones, in one
// transaction, and returns their ids.
func (r *Ring) change(ctx context.Context, decide func(vneid.Tx, []vneid.SigningKey) ([]vneid.SigningKey, error)) (kids []string, err error) {
	world := vneid.WorldFrom(ctx).ID
	w := r.ringOf(world)
	if err := w.take(ctx); err != nil {
		return nil, err
	}
	defer w.give()
	err = r.Store.Update(ctx, world, func(tx vneid.Tx) error {
		kids = nil
		rows, err := tx.SigningKeys()
		if err != nil {
			return err
		}
		changed, err := decide(tx, rows)
		if err != nil {
			return err
		}
		for i := range changed {
			if err := put(tx, &changed[i]); err != nil {
				return err
			}
			kids = append(kids, changed[i].KID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := r.load(ctx, w); err != nil {
		// Done all the same; within the pace somebody reads again.
		r.Logger.WarnContext(ctx, "keys changed, but not read again", "world", world, "error", err)
	}
	return kids, nil
}
