-- What queries are answered from. sealed: the originals (an EssentialIdentity under the key ring), those of the first instance of the study
-- or series. attributes: the same attributes as the protected object has them; null for what was protected by an earlier version.
CREATE TABLE index_studies (
  id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  study_uid       TEXT NOT NULL,
  patient         TEXT NOT NULL,
  patient_index   TEXT NOT NULL,
  accession_index TEXT NOT NULL,
  sealed          BYTEA NOT NULL,
  attributes      BYTEA,
  UNIQUE (study_uid, patient)
);
CREATE INDEX index_studies_patient ON index_studies (patient, id);
CREATE INDEX index_studies_patient_index ON index_studies (patient_index, id);
CREATE INDEX index_studies_accession ON index_studies (accession_index, id);

CREATE TABLE index_series (
  id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  study_id        BIGINT NOT NULL REFERENCES index_studies (id),
  series_uid      TEXT NOT NULL,
  sealed          BYTEA NOT NULL,
  attributes      BYTEA,
  UNIQUE (study_id, series_uid)
);
CREATE INDEX index_series_uid ON index_series (series_uid);

CREATE TABLE index_instances (
  instance_id     BIGINT PRIMARY KEY REFERENCES instances (id) ON DELETE CASCADE,
  series_id       BIGINT NOT NULL REFERENCES index_series (id),
  attributes      BYTEA
);
CREATE INDEX index_instances_series ON index_instances (series_id, instance_id);

INSERT INTO index_studies (study_uid, patient, patient_index, accession_index, sealed)
SELECT i.study_uid, i.patient, i.patient_index, i.accession_index, i.essentials
FROM instances i JOIN (SELECT MIN(id) AS id FROM instances WHERE is_primary = 1 AND protected_file IS NOT NULL GROUP BY study_uid, patient) f ON f.id = i.id
ORDER BY i.id;
INSERT INTO index_series (study_id, series_uid, sealed)
SELECT s.id, i.series_uid, i.essentials
FROM instances i JOIN (SELECT MIN(id) AS id FROM instances WHERE is_primary = 1 AND protected_file IS NOT NULL GROUP BY study_uid, patient, series_uid) f ON f.id = i.id
  JOIN index_studies s ON s.study_uid = i.study_uid AND s.patient = i.patient
ORDER BY i.id;
INSERT INTO index_instances (instance_id, series_id)
SELECT i.id, r.id
FROM instances i JOIN index_studies s ON s.study_uid = i.study_uid AND s.patient = i.patient
  JOIN index_series r ON r.study_id = s.id AND r.series_uid = i.series_uid
WHERE i.is_primary = 1 AND i.protected_file IS NOT NULL;
