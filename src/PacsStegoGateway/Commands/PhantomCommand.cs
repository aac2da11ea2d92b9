using System.CommandLine;
using PacsStegoGateway.Phantoms;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg phantom --out DIR</c>: a made patient for trying things out.</summary>
internal static class PhantomCommand
{
    public static Command Create()
    {
        Option<string> output = CommonOptions.Out();
        Option<int> seed = new("--seed") { Description = "Same seed, same bytes.", DefaultValueFactory = static _ => 1 };
        Option<int> slices = new("--slices") { Description = "Slices in each of the four series.", DefaultValueFactory = static _ => 6 };
        Option<int> frames = new("--frames") { Description = $"Instead of the studies, one CT object of so many frames (half a MiB each, at most {PhantomStudy.MaxFrames}), to measure with." };
        var command = new Command("phantom", "Makes CT and MR studies of a patient who never lived.") { output, seed, slices, frames };
        command.SetAction(result =>
        {
            if (result.GetResult(frames) is not null)
            {
                if (result.GetValue(frames) is < 1 or > PhantomStudy.MaxFrames)
                {
                    throw new CommandException($"--frames must be 1 to {PhantomStudy.MaxFrames}.");
                }

                Console.WriteLine(PhantomStudy.Write(result.GetRequiredValue(output), PhantomStudy.CreateMultiframe(result.GetValue(seed), result.GetValue(frames))));
                return ExitCode.Done;
            }

            if (result.GetValue(slices) is < 1 or > PhantomOptions.MaxSlicesPerSeries)
            {
                throw new CommandException($"--slices must be 1 to {PhantomOptions.MaxSlicesPerSeries}.");
            }

            IReadOnlyList<string> written = PhantomStudy.Write(result.GetRequiredValue(output),
                new PhantomOptions { Seed = result.GetValue(seed), SlicesPerSeries = result.GetValue(slices) });
            Console.WriteLine($"{written.Count} images in {result.GetRequiredValue(output)}.");
            return ExitCode.Done;
        });
        return command;
    }
}
