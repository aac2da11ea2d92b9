PacsStegoGateway.Service.CrashDumps.Forbid();
return await PacsStegoGateway.Commands.CommandLine.RunAsync(args).ConfigureAwait(false);
