return await PacsStegoGateway.Commands.CommandLine.RunAsync(args).ConfigureAwait(false);
