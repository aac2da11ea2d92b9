using PacsStegoGateway.Security;

namespace PacsStegoGateway.Configuration;

public static partial class GatewayOptionsValidator
{
    private static void CheckLimits(LimitOptions limits, Problems found)
    {
        found.Range("Limits:AssociationsPerMinutePerAddress", limits.AssociationsPerMinutePerAddress, 0, 1_000_000);
        found.Range("Limits:AssociationsPerMinutePerAE", limits.AssociationsPerMinutePerAE, 0, 1_000_000);
        found.Range("Limits:QueriesPerMinute", limits.QueriesPerMinute, 0, 1_000_000);
        found.Range("Limits:RetrievalsPerMinute", limits.RetrievalsPerMinute, 0, 1_000_000);
        found.Range("Limits:RejectionsBeforePause", limits.RejectionsBeforePause, 1, 1000);
        found.Range("Limits:LongestPauseSeconds", limits.LongestPauseSeconds, 1, 3600);
        found.Range("Limits:VerificationReserve", limits.VerificationReserve, 1, 100);
    }

    private static void CheckUsers(CallerOptions caller, string path, Problems found)
    {
        for (int i = 0; i < caller.Users.Count; i++)
        {
            CallerUserOptions user = caller.Users[i];
            if (user.Name.Length is 0 or > 64 || user.Name != user.Name.Trim() || user.Name.Any(char.IsControl))
            {
                found.Add($"{path}:Users:{i}:Name", "must be 1 to 64 characters, without spaces at the ends.");
            }

            if (user.Passcode is null || !PasscodeHash.IsWellFormed(user.Passcode))
            {
                found.Add($"{path}:Users:{i}:Passcode", "must be what 'psg user hash' prints, or none where the name is enough.");
            }
            else if (user.Name == CallerUserOptions.Anybody && user.Passcode != PasscodeHash.None)
            {
                found.Add($"{path}:Users:{i}:Passcode", "must be none: nobody in particular has no passcode.");
            }
        }

        CheckUnique(caller.Users.Select(static u => u.Name), $"{path}:Users", found);
    }

    private static void CheckKeys(KeyOptions keys, Problems found)
    {
        found.Range("Keys:CommandTimeoutSeconds", keys.CommandTimeoutSeconds, 1, 300);
        if (keys.Command.Count == 0)
        {
            found.NotEmpty("Keys:RingPath", keys.RingPath);
        }
        else if (!Path.IsPathRooted(keys.Command[0]))
        {
            found.Add("Keys:Command", "must begin with the whole path of a program: one that is looked for can be another.");
        }
    }

    private static void CheckOperators(List<OperatorOptions> operators, Problems found)
    {
        for (int i = 0; i < operators.Count; i++)
        {
            string account = operators[i].Account;
            if (string.IsNullOrWhiteSpace(account) || account is OperatorOptions.GroupPrefix || account.Any(char.IsControl))
            {
                found.Add($"Operators:{i}:Account", "must be an account of the operating system, or group: and a group of it.");
            }
        }

        CheckUnique(operators.Select(static o => o.Account), "Operators", found);
    }
}
