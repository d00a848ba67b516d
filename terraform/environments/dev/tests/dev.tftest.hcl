mock_provider "aws" {
  source = "../../mocks"
}

variables {
  admin_role_arns = ["arn:aws:iam::111122223333:role/platform"]
  emails          = ["platform@example.org"]
}

run "dev" {
  assert {
    condition     = output.cluster_name == "jepa-dev" && output.store_uri != "" && output.image_repository != ""
    error_message = "an output is missing that jepa or the manifests need"
  }
}

run "a_wrong_region_is_refused" {
  command = plan

  variables {
    region = "here"
  }

  expect_failures = [var.region]
}

run "zones_of_another_region_are_refused" {
  command = plan

  variables {
    zones = ["eu-west-1a", "eu-west-1b"]
  }

  expect_failures = [var.zones]
}
