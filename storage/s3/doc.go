// Package s3 keeps objects in any store that speaks S3: AWS, Alibaba OSS, MinIO's successors, Ceph, Garage,
// versitygw. It uses the oldest and best understood part of the protocol: one signed PUT per object, GET with
// Range, HEAD, ListObjectsV2, DELETE.
//
// A PUT carries the length, the MD5 (Content-MD5) and over https the SHA-256 (x-amz-content-sha256) of the
// body, so that the server refuses what was damaged on the way. Both sums are kept as metadata; Stat compares
// the length, and the ETag where it is an MD5, with what the server says it holds.
//
// There are no retries and no goroutines in here: storage.Keep knows better what is worth waiting for. The
// bucket must exist and be private; Check finds out.
package s3
