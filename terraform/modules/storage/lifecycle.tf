# What leaves the store by itself: uploads that died, what `jepa gc` has marked, and old versions of both.

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
    id     = "expire-what-gc-marks"
    status = "Enabled"

    filter {
      tag {
        key   = local.gc_tag.key
        value = local.gc_tag.value
      }
    }

    expiration {
      days = var.marked_days
    }
  }

  rule {
    id     = "forget-old-versions"
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
