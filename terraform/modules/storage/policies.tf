# What each kind of job may do, prefix by prefix. A job reads what it writes too: a second run finds what is done. A job
# deletes what it replaces: a dataset plan that nobody began, old checkpoints, rows that are written again.

locals {
  access = {
    collect     = { reads = [], writes = ["datasets", "logs"], deletes = ["datasets/*/versions/*/plan.json"] }
    pretrain    = { reads = ["datasets"], writes = ["models", "reports", "logs"], deletes = ["models/*", "reports/kind=*"] }
    evaluate    = { reads = ["datasets", "models"], writes = ["reports", "problems", "logs"], deletes = ["reports/kind=*", "reports/slices/*"] }
    maintenance = { reads = ["datasets", "models", "problems"], writes = ["reports", "logs"], deletes = ["datasets/*", "models/*", "reports/*", "problems/*", "logs/*"] }
  }

  # `store.check()` and `jepa doctor` prove by a small object of this name, at the root of the store, that it works.
  probe = ".tmp-check-*"

  statements = { for kind, may in local.access : kind => [
    {
      Sid      = "List"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [local.bucket_arn]
      # IfExists: a request for one object carries no prefix, and S3 answers 404 for a missing one (which is how a
      # job learns what is left to do) only to those who may list; to others it answers 403.
      Condition = { StringLikeIfExists = {
        # Maintenance looks through the whole store, at once.
        "s3:prefix" = concat(flatten([for prefix in concat(may.reads, may.writes) : [prefix, "${prefix}/*"]]), [local.probe], kind == "maintenance" ? [""] : [])
      } }
    },
    {
      Sid      = "Read"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = concat([for prefix in concat(may.reads, may.writes) : "${local.bucket_arn}/${prefix}/*"], ["${local.bucket_arn}/${local.probe}"])
    },
    {
      Sid      = "Write"
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
      Resource = concat([for prefix in may.writes : "${local.bucket_arn}/${prefix}/*"], ["${local.bucket_arn}/${local.probe}"])
    },
    {
      Sid      = "Delete"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject"]
      Resource = concat([for path in may.deletes : "${local.bucket_arn}/${path}"], ["${local.bucket_arn}/${local.probe}"])
    },
    {
      Sid      = "Key"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [aws_kms_key.store.arn]
    },
  ] }
}

resource "aws_iam_policy" "job" {
  for_each = local.access

  name        = "${var.bucket}-${each.key}"
  description = "What a ${each.key} job may do in the store ${var.bucket}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.statements[each.key] })
}
