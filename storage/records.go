package storage

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type recordRow struct {
	Seq       int64  `gorm:"column:seq;primaryKey;autoIncrement"`
	World     string `gorm:"column:world"`
	ID        string `gorm:"column:id"`
	ClientID  string `gorm:"column:client_id"`
	CCCD      string `gorm:"column:cccd"`
	CCCDHash  string `gorm:"column:cccd_hash"`
	SessionID string `gorm:"column:session_id"`
	Result    string `gorm:"column:result"`
	Rank      int    `gorm:"column:result_rank"`
	Error     string `gorm:"column:error"`
	StartedMS int64  `gorm:"column:started_ms"`
	UpdatedMS int64  `gorm:"column:updated_ms"`
	EndsMS    int64  `gorm:"column:ends_ms"`
}

func (recordRow) TableName() string { return "records" }

func (r *recordRow) value() vneid.Record {
	return vneid.Record{ID: r.ID, ClientID: r.ClientID, CCCD: r.CCCD, CCCDHash: r.CCCDHash, SessionID: r.SessionID,
		Result: vneid.RecordResult(r.Result), Error: r.Error, StartedAt: fromMS(r.StartedMS), UpdatedAt: fromMS(r.UpdatedMS), EndsAt: fromMS(r.EndsMS)}
}

type recordStepsRow struct {
	Seq      int64  `gorm:"column:seq;primaryKey;autoIncrement"`
	World    string `gorm:"column:world"`
	RecordID string `gorm:"column:record_id"`
	Steps    string `gorm:"column:steps"`
}

func (recordStepsRow) TableName() string { return "record_steps" }

type trafficRow struct {
	Seq    int64  `gorm:"column:seq;primaryKey;autoIncrement"`
	World  string `gorm:"column:world"`
	Kind   string `gorm:"column:kind"`
	Peer   string `gorm:"column:peer"`
	Agent  string `gorm:"column:agent"`
	AtMS   int64  `gorm:"column:at_ms"`
	LastMS int64  `gorm:"column:last_ms"`
	Count  int    `gorm:"column:count"`
}

func (trafficRow) TableName() string { return "traffic" }

var (
	records     = newTable(&recordRow{})
	recordByID  = records.by("id = ?")
	recordSteps = newTable(&recordStepsRow{})
	stepsOf     = recordSteps.by("record_id = ? ORDER BY seq")
	traffic     = newTable(&trafficRow{})
	trafficFrom = traffic.by("last_ms > ? ORDER BY seq LIMIT ?")

	// Told again what is known, a record stays as it is; a result of a lower rank
	// comes late, from another process.
	addRecord = newQuery(records.insertNew[dialectSQLite] + ` ON CONFLICT (world, id) DO UPDATE SET
		updated_ms = CASE WHEN records.updated_ms < excluded.updated_ms THEN excluded.updated_ms ELSE records.updated_ms END, ` +
		keepUnless("<> ''", "client_id", "session_id", "cccd", "cccd_hash") + ", " +
		keepUnless("", "ends_ms", "error", "result", "result_rank"))
	touchRecord = newQuery("UPDATE records SET updated_ms = CASE WHEN updated_ms < ? THEN ? ELSE updated_ms END WHERE world = ? AND id = ?")

	recordOfSession = records.by("session_id = ? AND session_id <> '' ORDER BY CASE WHEN client_id = ? THEN 0 ELSE 1 END, seq DESC LIMIT 1")

	recordBoundary = newQuery("SELECT seq FROM records WHERE world = ? AND seq > 0 ORDER BY seq DESC LIMIT 1 OFFSET ?")
	pruneSteps     = newQuery("DELETE FROM record_steps WHERE world = ? AND record_id IN (SELECT id FROM records WHERE world = ? AND seq <= ?)")
	pruneRecords   = newQuery("DELETE FROM records WHERE world = ? AND seq <= ?")

	trafficBoundary = newQuery("SELECT seq FROM traffic WHERE world = ? AND seq > 0 ORDER BY seq DESC LIMIT 1 OFFSET ?")
	pruneTraffic    = newQuery("DELETE FROM traffic WHERE world = ? AND seq <= ?")
)

// keepUnless sets columns to what is new, unless it is empty or of a lower rank.
func keepUnless(said string, columns ...string) string {
	var set []string
	for _, c := range columns {
		when := "excluded.result_rank >= records.result_rank"
		if said != "" {
			when = "excluded." + c + " " + said
		}
		set = append(set, c+" = CASE WHEN "+when+" THEN excluded."+c+" ELSE records."+c+" END")
	}
	return strings.Join(set, ", ")
}

func (t *tx) AddToRecord(part *vneid.Record) error {
	id := part.ID
	if id == "" {
		var found recordRow
		err := t.take("record of session", records, recordOfSession, &found, part.SessionID, part.ClientID)
		if errors.Is(err, vneid.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		id = found.ID
	}
	return t.write("add to record", func() error {
		row := *part
		row.Steps = nil // as JSON they come back, whatever they say
		if err := checkText(&row); err != nil {
			return err
		}
		var err error
		at := ms(part.UpdatedAt)
		if part.ID == "" {
			// What a session does tells nothing about how its login ended.
			err = t.change(touchRecord, at, at, t.world, id)
		} else {
			started := part.StartedAt
			if started.IsZero() {
				started = part.UpdatedAt
			}
			err = t.change(addRecord, records.values(&recordRow{World: t.world, ID: id, ClientID: part.ClientID, CCCD: part.CCCD, CCCDHash: part.CCCDHash,
				SessionID: part.SessionID, Result: string(part.Result), Rank: part.Result.Rank(), Error: part.Error, StartedMS: ms(started),
				UpdatedMS: at, EndsMS: ms(part.EndsAt)})...)
		}
		if err != nil || len(part.Steps) == 0 {
			return err
		}
		return t.change(recordSteps.insertNew, recordSteps.values(&recordStepsRow{World: t.world, RecordID: id, Steps: toJSON(part.Steps)})...)
	})
}

func (t *tx) Record(id string) (*vneid.Record, error) {
	var row recordRow
	if err := t.take("record", records, recordByID, &row, id); err != nil {
		return nil, err
	}
	r := row.value()
	parts, err := list[recordStepsRow](t, "steps of record", recordSteps, stepsOf, t.world, id)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		var steps []vneid.RecordStep
		if err := json.Unmarshal([]byte(p.Steps), &steps); err != nil {
			return nil, err
		}
		r.Steps = append(r.Steps, steps...)
	}
	return &r, nil
}

func (t *tx) StepsOfRecords(ids []string) (map[string][]vneid.RecordStep, error) {
	found := make(map[string][]vneid.RecordStep, len(ids))
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !storable(id) })
	err := t.read("steps of records", func() error {
		for some := range slices.Chunk(ids, 250) {
			var rows []recordStepsRow
			if err := t.orm().Table("record_steps").Where("world = ? AND record_id IN ?", t.world, some).Order("seq").Find(&rows).Error; err != nil {
				return err
			}
			for _, r := range rows {
				var steps []vneid.RecordStep
				if err := json.Unmarshal([]byte(r.Steps), &steps); err != nil {
					return err
				}
				found[r.RecordID] = append(found[r.RecordID], steps...)
			}
		}
		return nil
	})
	return found, err
}

// Records reads the newest first, along an index, until enough match.
func (t *tx) Records(f vneid.RecordFilter) (found []vneid.Record, err error) {
	if f.Limit < 1 || !storable(f.ClientID, f.CCCDHash, f.After) {
		return nil, nil
	}
	var rows []recordRow
	err = t.read("records", func() error {
		q := t.orm().Table("records").Where("world = ? AND seq > 0", t.world) // along records_by_age
		if f.ClientID != "" {
			q = q.Where("client_id = ?", f.ClientID)
		}
		if f.CCCDHash != "" {
			q = q.Where("cccd_hash = ?", f.CCCDHash)
		}
		// As Record.At reads it.
		const over = "(result_rank < ? AND ends_ms > 0 AND ends_ms < ?)"
		settled, now := vneid.ResultExpired.Rank(), ms(f.Now)
		switch f.Result {
		case "":
		case vneid.ResultExpired:
			q = q.Where("(result = ? OR "+over+")", string(f.Result), settled, now)
		default:
			q = q.Where("result = ? AND NOT "+over, string(f.Result), settled, now)
		}
		if f.After != "" {
			q = q.Where("seq > coalesce((SELECT seq FROM records AS r WHERE r.world = ? AND r.id = ?), 0)", t.world, f.After)
		}
		return q.Order("seq DESC").Limit(f.Limit).Find(&rows).Error
	})
	for i := range rows {
		found = append(found, rows[i].value())
	}
	return found, err
}

func (t *tx) PruneRecords(keep, traffic int) error {
	return t.write("prune records", func() error {
		for _, c := range []struct {
			boundary query
			keep     int
			prune    func(seq int64) error
		}{
			{recordBoundary, keep, func(seq int64) error {
				if _, err := t.exec(pruneSteps, t.world, t.world, seq); err != nil {
					return err
				}
				_, err := t.exec(pruneRecords, t.world, seq)
				return err
			}},
			{trafficBoundary, traffic, func(seq int64) error { _, err := t.exec(pruneTraffic, t.world, seq); return err }},
		} {
			var seq int64
			err := t.conn.scan(t.ctx, c.boundary[t.db.dialect()], []any{t.world, c.keep}, []any{&seq})
			if err == nil {
				err = c.prune(seq)
			}
			if err != nil && !errors.Is(describe(t.ctx, "prune", err), vneid.ErrNotFound) {
				return err
			}
		}
		return nil
	})
}

func (t *tx) AddTraffic(v *vneid.Traffic) error {
	return t.insert("add traffic", traffic, v, &trafficRow{World: t.world, Kind: string(v.Kind), Peer: v.Peer, Agent: v.Agent,
		AtMS: ms(v.At), LastMS: ms(v.LastAt), Count: v.Count})
}

func (t *tx) Traffic(since time.Time, limit int) (found []vneid.Traffic, err error) {
	if limit < 1 {
		return nil, nil
	}
	rows, err := list[trafficRow](t, "traffic", traffic, trafficFrom, t.world, ms(since), limit)
	for _, r := range rows {
		found = append(found, vneid.Traffic{Kind: vneid.StepKind(r.Kind), Peer: r.Peer, Agent: r.Agent, At: fromMS(r.AtMS), LastAt: fromMS(r.LastMS), Count: r.Count})
	}
	return found, err
}
