mock_provider "aws" {
  source = "../../mocks"
}

variables {
  bucket = "jepa-test"
}

run "store" {
  # versions are kept
  assert {
    condition     = aws_s3_bucket_versioning.store.versioning_configuration[0].status == "Enabled"
    error_message = "an object that was overwritten or deleted could not be brought back"
  }

  # objects are encrypted by our key
  assert {
    condition = alltrue([for rule in aws_s3_bucket_server_side_encryption_configuration.store.rule :
      rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" &&
      rule.apply_server_side_encryption_by_default[0].kms_master_key_id == aws_kms_key.store.arn
    ])
    error_message = "objects are not encrypted by the store's key"
  }

  assert {
    condition     = aws_kms_key.store.enable_key_rotation
    error_message = "the store's key is never rotated"
  }

  # requests to kms are saved
  assert {
    condition     = alltrue([for rule in aws_s3_bucket_server_side_encryption_configuration.store.rule : rule.bucket_key_enabled])
    error_message = "each small range would cost a request to KMS"
  }

  # nothing is public
  assert {
    condition = alltrue([for block in [aws_s3_bucket_public_access_block.store, aws_s3_bucket_public_access_block.access_log] :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "a policy or an access list could make a bucket public"
  }

  # access lists are off
  assert {
    condition     = aws_s3_bucket_ownership_controls.store.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "an access list of a single object could give it away"
  }

  # without tls there is no access
  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.store.policy).Statement :
      statement.Effect == "Deny" && statement.Action == "s3:*" && statement.Principal == "*" &&
      try(statement.Condition.Bool["aws:SecureTransport"], "") == "false" &&
      toset(statement.Resource) == toset(["arn:aws:s3:::jepa-test", "arn:aws:s3:::jepa-test/*"])
    ])
    error_message = "plain HTTP is not denied"
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.store.policy).Statement :
      statement.Effect == "Deny" && try(tonumber(statement.Condition.NumericLessThan["s3:TlsVersion"]) >= 1.2, false)
    ])
    error_message = "TLS before 1.2 is not denied"
  }

  # the bucket policy only denies
  assert {
    condition     = alltrue([for statement in jsondecode(aws_s3_bucket_policy.store.policy).Statement : statement.Effect == "Deny"])
    error_message = "the policy of the bucket allows something, but what jobs may do belongs to their roles"
  }

  # stale uploads are aborted
  assert {
    condition = anytrue([for rule in aws_s3_bucket_lifecycle_configuration.store.rule :
      rule.status == "Enabled" && length(rule.filter[0].tag) == 0 && try(rule.abort_incomplete_multipart_upload[0].days_after_initiation == 2, false)
    ])
    error_message = "the parts of an upload that died would be paid for ever"
  }

  # nothing that is there expires
  assert {
    condition     = alltrue([for rule in aws_s3_bucket_lifecycle_configuration.store.rule : try(coalesce(rule.expiration[0].days, 0), 0) == 0])
    error_message = "objects expire that nobody has deleted"
  }

  # what is deleted, and old versions, are forgotten
  assert {
    condition = anytrue([for rule in aws_s3_bucket_lifecycle_configuration.store.rule :
      rule.status == "Enabled" && try(rule.noncurrent_version_expiration[0].noncurrent_days == 30 && rule.expiration[0].expired_object_delete_marker, false)
    ])
    error_message = "old versions would be paid for ever"
  }

  # who asked is recorded
  assert {
    condition     = aws_s3_bucket_logging.store.target_bucket == aws_s3_bucket.access_log.id
    error_message = "nobody could say who read what"
  }

  # collect writes datasets and logs alone
  assert {
    condition = toset(flatten([for s in jsondecode(aws_iam_policy.job["collect"].policy).Statement : s.Resource if s.Sid == "Write"])) == toset([
      "arn:aws:s3:::jepa-test/datasets/*", "arn:aws:s3:::jepa-test/logs/*", "arn:aws:s3:::jepa-test/.tmp-check-*",
    ])
    error_message = "collect writes elsewhere than datasets/ and logs/"
  }

  assert {
    condition = toset(flatten([for s in jsondecode(aws_iam_policy.job["collect"].policy).Statement : s.Resource if s.Sid == "Delete"])) == toset([
      "arn:aws:s3:::jepa-test/datasets/*/versions/*/plan.json", "arn:aws:s3:::jepa-test/.tmp-check-*",
    ])
    error_message = "collect deletes more than a plan that nobody began, and what it probed with"
  }

  # pretrain and evaluate delete what they replace
  assert {
    condition = { for kind in ["pretrain", "evaluate"] : kind => toset(flatten([for s in jsondecode(aws_iam_policy.job[kind].policy).Statement : s.Resource if s.Sid == "Delete"])) } == {
      pretrain = toset(["arn:aws:s3:::jepa-test/models/*", "arn:aws:s3:::jepa-test/reports/kind=*", "arn:aws:s3:::jepa-test/.tmp-check-*"])
      evaluate = toset(["arn:aws:s3:::jepa-test/reports/kind=*", "arn:aws:s3:::jepa-test/reports/slices/*", "arn:aws:s3:::jepa-test/.tmp-check-*"])
    }
    error_message = "pretrain or evaluate deletes more, or less, than what it replaces"
  }

  # pretrain reads datasets and writes models reports logs
  assert {
    condition = toset(flatten([for s in jsondecode(aws_iam_policy.job["pretrain"].policy).Statement : s.Resource if s.Sid == "Write"])) == toset([
      "arn:aws:s3:::jepa-test/models/*", "arn:aws:s3:::jepa-test/reports/*", "arn:aws:s3:::jepa-test/logs/*", "arn:aws:s3:::jepa-test/.tmp-check-*",
    ])
    error_message = "pretrain writes elsewhere than models/, reports/ and logs/"
  }

  assert {
    condition = contains(flatten([for s in jsondecode(aws_iam_policy.job["pretrain"].policy).Statement : s.Resource if s.Sid == "Read"]),
    "arn:aws:s3:::jepa-test/datasets/*")
    error_message = "pretrain cannot read datasets/"
  }

  # evaluate reads datasets and models and writes reports problems logs
  assert {
    condition = toset(flatten([for s in jsondecode(aws_iam_policy.job["evaluate"].policy).Statement : s.Resource if s.Sid == "Write"])) == toset([
      "arn:aws:s3:::jepa-test/reports/*", "arn:aws:s3:::jepa-test/problems/*", "arn:aws:s3:::jepa-test/logs/*", "arn:aws:s3:::jepa-test/.tmp-check-*",
    ])
    error_message = "evaluate writes elsewhere than reports/, problems/ and logs/"
  }

  assert {
    condition = length(setsubtract(["arn:aws:s3:::jepa-test/datasets/*", "arn:aws:s3:::jepa-test/models/*"],
    flatten([for s in jsondecode(aws_iam_policy.job["evaluate"].policy).Statement : s.Resource if s.Sid == "Read"]))) == 0
    error_message = "evaluate cannot read datasets/ and models/"
  }

  # nobody deletes versions
  assert {
    condition     = alltrue([for policy in aws_iam_policy.job : !strcontains(policy.policy, "DeleteObjectVersion") && !strcontains(policy.policy, "s3:*") && !strcontains(policy.policy, "\"Resource\":\"*\"")])
    error_message = "a job may delete for good, or everything"
  }

  # a missing object is told as missing
  assert {
    condition = alltrue([for policy in aws_iam_policy.job : anytrue([for s in jsondecode(policy.policy).Statement :
      s.Action == ["s3:ListBucket"] && can(s.Condition.StringLikeIfExists["s3:prefix"])
    ])])
    error_message = "S3 would answer 403 for an object that is not there yet"
  }

  # maintenance, which looks through the whole store at once, may list it without a prefix
  assert {
    condition = [for kind, policy in aws_iam_policy.job : kind if anytrue([for s in jsondecode(policy.policy).Statement :
      contains(try(s.Condition.StringLikeIfExists["s3:prefix"], []), "")
    ])] == ["maintenance"]
    error_message = "not maintenance alone may list the whole store"
  }

  # data outlives a mistaken destroy
  assert {
    condition     = !aws_s3_bucket.store.force_destroy
    error_message = "terraform destroy would take the data with it"
  }
}

run "refused" {
  command = plan

  variables {
    bucket            = "Jepa_Test"
    stale_upload_days = 0
    noncurrent_days   = 1
    access_log_days   = 1
  }

  expect_failures = [var.bucket, var.stale_upload_days, var.noncurrent_days, var.access_log_days]
}
