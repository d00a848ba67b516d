# Log groups, made here and not by those who write to them: else they would be kept for ever, and unencrypted.

locals {
  groups = {
    # Names that are given: the control plane's, the CloudWatch add-on's, and the network's.
    control_plane = "/aws/eks/${var.name}/cluster"
    pods          = "/aws/containerinsights/${var.name}/application"
    nodes         = "/aws/containerinsights/${var.name}/host"
    kubelets      = "/aws/containerinsights/${var.name}/dataplane"
    performance   = "/aws/containerinsights/${var.name}/performance"
    network       = "/aws/vpc/${var.name}/flow"
  }

  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.name
}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

resource "aws_kms_key" "watch" {
  description             = "Logs and alarms of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecidesByItsPolicies"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "LogsAreEncrypted"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:*" } }
      },
      {
        Sid       = "AlarmsArePublished"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is for each environment to say; production keeps a year, development a month.
  for_each = local.groups

  name              = each.value
  retention_in_days = var.retention_days
  kms_key_id        = aws_kms_key.watch.arn
}
