# Who asked for which object: S3's own record of it, in a bucket beside the store.

resource "aws_s3_bucket" "access_log" {
  #checkov:skip=CKV_AWS_18:A log of who reads the log would need a log of its own.
  #checkov:skip=CKV_AWS_21:S3 only adds objects here, and none is written twice.
  #checkov:skip=CKV_AWS_144:The record is kept for weeks, to look into an incident; it is no backup.
  #checkov:skip=CKV_AWS_145:S3 delivers access logs only to a bucket whose default encryption is its own (SSE-S3).
  #checkov:skip=CKV2_AWS_62:Nothing listens to new log files; they are read when somebody asks.
  bucket        = "${var.bucket}-access-logs"
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_ownership_controls" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  rule {
    id     = "forget"
    status = "Enabled"

    filter {}

    expiration {
      days = var.access_log_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

resource "aws_s3_bucket_policy" "access_log" {
  bucket = aws_s3_bucket.access_log.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "S3DeliversTheLog"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${local.bucket_arn}-access-logs/*"
        Condition = {
          ArnLike      = { "aws:SourceArn" = local.bucket_arn }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      },
      {
        Sid       = "DenyWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = ["${local.bucket_arn}-access-logs", "${local.bucket_arn}-access-logs/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.access_log]
}

resource "aws_s3_bucket_logging" "store" {
  bucket        = aws_s3_bucket.store.id
  target_bucket = aws_s3_bucket.access_log.id
  target_prefix = "store/"

  depends_on = [aws_s3_bucket_policy.access_log]
}
