# What leaves the store by itself: uploads that died, and old versions. What `jepa gc` deletes becomes one: S3 puts a delete
# marker over it, and forgets both after a while. Nothing that is there expires: weights and shards have names of their
# content, so what nothing refers to today a job may find and name in a manifest tomorrow.

resource "aws_s3_bucket_lifecycle_configuration" "store" {
  bucket = aws_s3_bucket.store.id

  rule {
    id     = "abort-stale-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.stale_upload_days
    }
  }

  rule {
    id     = "forget-what-gc-deletes"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  # The rules on old versions need a bucket that keeps them.
  depends_on = [aws_s3_bucket_versioning.store]
}
